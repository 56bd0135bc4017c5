"""Refusals of this room: expected, and told to people by their code."""


class RoleRefused(Exception):
    """`code` is person_inactive, role_held, role_not_held or role_excluded.

    `role` is the one asked for; `other` is the role in whose way it stands.
    """

    def __init__(self, code: str, *, role: str, other: str = "") -> None:
        super().__init__(code)
        self.code, self.role, self.other = code, role, other


class SessionNotFound(Exception):
    """The person has no such open session."""


class LinkOver(Exception):
    """The link was used, replaced, is too old, or belongs to another browser."""


class EmailTaken(Exception):
    """Another account has the address."""


class EmailRefused(Exception):
    """Somebody cannot change their own address now. `code` is no_change, changed_lately or
    by_two_people.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PhoneMissing(Exception):
    """The person has no phone that could be removed."""


class PasskeyRefused(Exception):
    """The passkey did not answer rightly, is not known, or must not go."""
