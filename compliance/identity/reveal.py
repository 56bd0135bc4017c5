"""Shows a sealed value to a person who may see it and says why."""

from datetime import datetime
from typing import Final, Protocol

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.protection.masking import CLASS_OF, DataClass, Kind

REASON_CHARACTERS_MIN: Final = 4


class Sealed(Protocol):
    """What holds a sealed text: a column, or a part of one."""

    def open(self) -> str:
        """The text. Raises KeyUnknown or Tampered."""


class RevealRefused(Exception):
    """The value stays masked; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def reveal(
    value: Sealed,
    *,
    kind: Kind,
    subject: tuple[str, str],
    reason: str,
    person: User,
    actor: Actor,
    at: datetime,
    what: str = "",
) -> str:
    """The text itself, with an audit entry that tells who saw it and why, and never the text.

    `what` names the value for the entry, where the subject has several.

    A refusal is written down too. Raises RevealRefused, KeyUnknown or Tampered.
    """
    facts = {"kind": str(kind), "class": str(CLASS_OF[kind])} | ({"what": what} if what else {})
    code = _refusal(kind=kind, reason=reason, person=person)
    with transaction.atomic():
        text = "" if code else value.open()
        deed = "data.reveal_refused" if code else "data.revealed"
        told = {**facts, "code": code} if code else facts
        record(actor, deed, subject=subject, facts=told, reason=reason.strip(), at=at)
    if code:
        raise RevealRefused(code)
    return text


def _refusal(*, kind: Kind, reason: str, person: User) -> str:
    if CLASS_OF[kind] == DataClass.C3:
        return "never_shown"
    if not may(person, Ability.REVEAL):
        return "ability_missing"
    if len(reason.strip()) < REASON_CHARACTERS_MIN:
        return "reason_missing"
    return ""
