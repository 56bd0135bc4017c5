"""A second factor again, for one deed: whoever sits at an open session cannot do it without.

A check is bound to the person, the session and exactly what is to be done, lasts five minutes and
serves once. What was typed is kept sealed meanwhile, so that nothing is lost.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.devices import Shown, show_code
from compliance.identity.models import CODE_DIGITS, User
from compliance.identity.recovery import use_code
from compliance.identity.sessions import digest_of
from compliance.identity.stepup_models import StepUp
from compliance.numbers import new_number
from compliance.protection.fields import seal, unseal

LASTS: Final = timedelta(minutes=5)
"""From the right code to the deed, and from the wish to the right code."""
TRIES_MAX: Final = 5


OF_FACTORS: Final = frozenset({
    "passkey.add", "passkey.remove", "authenticator.replace", "recovery_codes.make",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the check is bound to. `label` and `shown` are for the reader's eyes only.

    What has no label is not shown.
    """

    name: str
    label: str
    value: str
    shown: str = ""
    """The value in the reader's words, where those are others."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done: the action, and its object, amount and payee as far as it has them."""

    purpose: str
    title: str
    facts: tuple[Fact, ...]

    def digest(self) -> bytes:
        """Equal for the same deed in any language, different for everything else."""
        bound = [self.purpose, sorted((fact.name, fact.value) for fact in self.facts)]
        return hashlib.sha256(json.dumps(bound, ensure_ascii=False).encode()).digest()


Form = Sequence[tuple[str, str]]


@transaction.atomic
def want(
    *, user: User, session: str, deed: Deed, path: str, form: Form, at: datetime, back: str = ""
) -> StepUp:
    """Remember what the person wants to do. A session has one such wish: a new one replaces it."""
    kept = digest_of(session)
    StepUp.objects.filter(user=user, created_at__lt=at - 2 * LASTS).delete()
    StepUp.objects.filter(user=user, session=kept).delete()
    number = new_number("stp_")
    return StepUp.objects.create(
        public_id=number,
        user=user,
        session=kept,
        purpose=deed.purpose,
        digest=deed.digest(),
        title=deed.title,
        facts=[[fact.label, fact.shown or fact.value] for fact in deed.facts if fact.label],
        path=path,
        back=back or path,
        form_sealed=seal(json.dumps(list(form)), bound_to=f"step-up:{number}"),
        created_at=at,
    )


def find(*, user: User, session: str, number: str, at: datetime) -> StepUp | None:
    """The wish of this person in this session. `is_late` says whether it can still be done."""
    wanted = StepUp.objects.filter(
        user=user, session=digest_of(session), public_id=number, created_at__gt=at - 2 * LASTS
    )
    return wanted.first()


def is_late(wanted: StepUp, *, at: datetime) -> bool:
    """Whether the person took too long, for the code or, after it, for the deed."""
    return at - (wanted.passed_at or wanted.created_at) >= LASTS


def form_of(wanted: StepUp) -> list[tuple[str, str]]:
    """What the person had typed."""
    text = unseal(wanted.form_sealed, bound_to=f"step-up:{wanted.public_id}")
    return [(name, value) for name, value in json.loads(text)]


def show(*, wanted: StepUp, code: str, actor: Actor, at: datetime) -> Shown:
    """Check a code for a wish. After the fifth wrong one the wish is gone: its form starts anew."""
    shown = _shown(wanted, code, actor=actor, at=at)
    with transaction.atomic():
        row = StepUp.objects.select_for_update().filter(pk=wanted.pk).first()
        if row is None or row.passed_at is not None:
            return Shown(None)
        if shown.device is not None and not is_late(row, at=at):
            row.passed_at = at
            row.save(update_fields=["passed_at"])
            _tell("stepup.passed", row, actor=actor, at=at)
            return shown
        if not shown.wait_seconds:
            row.tries += 1
            _tell("stepup.refused", row, actor=actor, at=at)
        if row.tries >= TRIES_MAX:
            row.delete()
        else:
            row.save(update_fields=["tries"])
        return Shown(None, wait_seconds=shown.wait_seconds)


def pass_wish(*, wanted: StepUp, actor: Actor, at: datetime) -> bool:
    """A passkey confirmed the wish. False: it is gone, was passed before, or is late."""
    with transaction.atomic():
        row = StepUp.objects.select_for_update().filter(pk=wanted.pk).first()
        if row is None or row.passed_at is not None or is_late(row, at=at):
            return False
        row.passed_at = at
        row.save(update_fields=["passed_at"])
        _tell("stepup.passed", row, actor=actor, at=at)
    return True


def _shown(wanted: StepUp, code: str, *, actor: Actor, at: datetime) -> Shown:
    """Whose phone is gone changes second factors with a recovery code, and nothing else."""
    if wanted.purpose in OF_FACTORS and len(code) > CODE_DIGITS:
        return Shown(use_code(user=wanted.user, code=code, actor=actor, at=at))
    return show_code(user=wanted.user, code=code, actor=actor, at=at)


def spend(*, user: User, session: str, deed: Deed, at: datetime) -> bool:
    """Use up a passed check for exactly this deed. False: there is none, or it is too old."""
    used, _each = StepUp.objects.filter(
        user=user,
        session=digest_of(session),
        digest=deed.digest(),
        passed_at__gt=at - LASTS,
    ).delete()
    return bool(used)


def _tell(action: str, row: StepUp, *, actor: Actor, at: datetime) -> None:
    facts = {"purpose": row.purpose, "about": [value for _label, value in row.facts]}
    record(actor, action, subject=("user", str(row.user_id)), facts=facts, at=at)
