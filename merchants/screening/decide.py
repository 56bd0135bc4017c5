"""A person says whether a hit is who the list means."""

from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from merchants.errors import IllegalMove
from merchants.screening.errors import DecisionRefused
from merchants.screening.models import REASON_MAX, ScreeningCheck, ScreeningHit
from merchants.screening.states import HitState
from merchants.screening.subjects import hold_dependants, tell_dependants

DECIDING: Final = (Ability.MERCHANTS_REQUEST, Ability.MERCHANTS_APPROVE, Ability.RISK_RULES_REQUEST)
"""Whoever holds one of these decides: those who take merchants on, and the people of risk."""


def may_decide(person: User) -> bool:
    """Whether the person's roles allow to decide hits, and so to see whom they are about."""
    return any(may(person, ability) for ability in DECIDING)


def confirm_hit(
    *, number: str, person: User, reason: str, actor: Actor, at: datetime
) -> ScreeningHit:
    """It is them: the subject is blocked. Raises DecisionRefused."""
    return _decide(number, HitState.CONFIRMED, person=person, reason=reason, actor=actor, at=at)


def dismiss_hit(
    *, number: str, person: User, reason: str, actor: Actor, at: datetime
) -> ScreeningHit:
    """It is somebody else. Raises DecisionRefused."""
    return _decide(number, HitState.DISMISSED, person=person, reason=reason, actor=actor, at=at)


@transaction.atomic
def _decide(
    number: str, to: HitState, *, person: User, reason: str, actor: Actor, at: datetime
) -> ScreeningHit:
    """Codes: may_not_decide, reason_missing, hit_unknown, hit_outdated, not_to_be_decided."""
    if not may_decide(person):
        raise DecisionRefused("may_not_decide")
    reason = reason.replace("\0", "").strip()[:REASON_MAX]
    if not reason:
        raise DecisionRefused("reason_missing")
    found = ScreeningHit.objects.filter(public_id=number).select_related("screening").first()
    if found is None:
        raise DecisionRefused("hit_unknown", hit=number)
    subject = (found.screening.subject_kind, found.screening.subject_ref)
    hold_dependants([subject])
    # The check first, as whoever screens anew takes it: a hit is not decided while it is replaced.
    check = ScreeningCheck.objects.select_for_update().get(pk=found.screening_id)
    hit = ScreeningHit.objects.select_for_update().get(public_id=number)
    if not check.is_current:
        raise DecisionRefused("hit_outdated", hit=number)
    before = hit.state
    try:
        hit.move(to, by=person.pk, reason=reason, at=at)
    except IllegalMove:
        raise DecisionRefused("not_to_be_decided", hit=number, state=before) from None
    record(
        actor, f"screening.{to.value}", subject=("screening_hit", number),
        facts={
            "subject_kind": check.subject_kind, "subject_ref": check.subject_ref,
            "strength": hit.strength, "score": hit.score,
        },
        before={"state": str(before)}, after={"state": to.value}, reason=reason, at=at,
    )  # fmt: skip
    tell_dependants([subject], actor=actor, at=at)
    return hit
