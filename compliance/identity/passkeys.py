"""Passkeys: a second factor that stands for both, because the device itself asks who is there.

The protocol is django-otp-webauthn's; sessions, rights and the trail are ours. A device must verify
its user (finger, face, PIN), always.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from django_otp_webauthn.utils import rewrite_exceptions
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, UserVerificationRequirement

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.devices import is_enrolled_without
from compliance.identity.errors import PasskeyRefused
from compliance.identity.models import User

NAME_CHARACTERS_MAX: Final = 60
PASSKEYS_MAX: Final = 10
_FAULTS: Final = (
    OTPWebAuthnApiError, WebAuthnException, KeyError, TypeError, ValueError, AttributeError,
)  # fmt: skip
"""What the libraries raise for an answer that is not what it should be."""

State = Mapping[str, Any]
"""What a session remembers of a question until its answer comes: used once."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the browser hands to the device, and what we remember of it."""

    options: Mapping[str, Any]
    state: State


class _Helper(WebAuthnHelper):  # type: ignore[misc]  # the library has no types
    """The library's own, but that it always wants the user verified."""

    def __init__(self) -> None:
        super().__init__(request=None)

    def get_generate_registration_options_kwargs(self, *, user: User) -> dict[str, Any]:
        """See WebAuthnHelper."""
        wanted = super().get_generate_registration_options_kwargs(user=user)
        wanted["authenticator_selection"] = AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.REQUIRED,
            resident_key=self.get_discoverable_credentials_preference(),
        )
        return dict(wanted)


def list_passkeys(user: User) -> Sequence[WebAuthnCredential]:
    """A person's passkeys, the oldest first."""
    return list(WebAuthnCredential.objects.filter(user=user, confirmed=True).order_by("pk"))


def ask_to_enrol(*, user: User) -> Question:
    """What to ask a device that is to become a passkey of this person."""
    options, state = _Helper().register_begin(user=user)
    return Question(options, state)


@transaction.atomic
def add_passkey(
    *, user: User, state: State, answer: Mapping[str, Any], name: str, actor: Actor, at: datetime
) -> WebAuthnCredential:
    """Keep a new passkey. The caller has asked for the second factor. Raises PasskeyRefused."""
    User.objects.select_for_update().get(pk=user.pk)
    if WebAuthnCredential.objects.filter(user=user).count() >= PASSKEYS_MAX:
        raise PasskeyRefused
    try:
        with rewrite_exceptions():
            made = _Helper().register_complete(user=user, state=dict(state), data=dict(answer))
    except _FAULTS:
        raise PasskeyRefused from None
    made.name = name[:NAME_CHARACTERS_MAX]
    made.save(update_fields=["name"])
    _tell("second_factor.enrolled", user, made, actor=actor, at=at)
    return made


def ask_for_passkey(*, user: User | None = None) -> Question:
    """What to ask a device that is to prove who is there; without a person, the device chooses."""
    options, state = _Helper().authenticate_begin(user=user, require_user_verification=True)
    return Question(options, state)


@transaction.atomic
def show_passkey(
    *, state: State, answer: Mapping[str, Any], user: User | None = None
) -> WebAuthnCredential:
    """The passkey that answered rightly; of this person, where one is named.

    Raises PasskeyRefused: unknown, somebody else's, a device that did not verify its user, a
    counter that did not move (a copied key), an account that is switched off.
    """
    try:
        with rewrite_exceptions():
            shown = _Helper().authenticate_complete(user=user, state=dict(state), data=dict(answer))
    except _FAULTS:
        raise PasskeyRefused from None
    if not (shown.confirmed and shown.user.is_active and shown.user.has_usable_password()):
        raise PasskeyRefused
    return shown


@transaction.atomic
def remove_passkey(*, user: User, passkey: int, actor: Actor, at: datetime) -> None:
    """Take a passkey away, not the last second factor. Raises PasskeyRefused."""
    User.objects.select_for_update().get(pk=user.pk)
    row = WebAuthnCredential.objects.filter(user=user, pk=passkey).first()
    if row is None or not is_enrolled_without(row):
        raise PasskeyRefused
    _tell("second_factor.removed", user, row, actor=actor, at=at)
    row.delete()


def _tell(
    action: str, user: User, passkey: WebAuthnCredential, *, actor: Actor, at: datetime
) -> None:
    facts = {"username": user.username, "means": "passkey", "name": passkey.name}
    record(actor, action, subject=("user", str(user.pk)), facts=facts, at=at)
