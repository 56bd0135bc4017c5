"""Grading an application, and raising its grade."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from merchants.days import day_of
from merchants.onboarding.grading import RULES, Grade, Screened, grade, review_day
from merchants.onboarding.models import Application, RiskGrade
from merchants.onboarding.reading import Standing
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.reviewing import lock_for_review
from merchants.onboarding.screened import outcomes_for
from merchants.screening.queries import Outcome

NOTE_MAX = 2000


def grade_application(
    application: Application, standing: Standing, *, actor: Actor, at: datetime
) -> Grade:
    """Grade it by the rules as it stands, and keep that where it says something new.

    A grade that somebody raised is not lowered by the rules. The caller holds the row's lock.
    """
    found = grade(
        standing.read, screened=_worst(outcomes_for(application, standing)), on=day_of(at)
    )
    raised = application.grades.filter(raised_by__isnull=False).order_by("-grade").first()
    counts = max(found.grade, Grade(raised.grade) if raised else Grade.LOW)
    reasons = [[reason.code, reason.points] for reason in found.reasons]
    last = application.grades.filter(raised_by__isnull=True).order_by("-pk").first()
    is_known = last is not None and (last.reasons, last.rules) == (reasons, RULES)
    if is_known and application.risk == counts:
        return counts
    RiskGrade.objects.create(
        application=application, round=application.round, grade=found.grade.value,
        points=found.points, reasons=reasons, rules=RULES, at=at,
    )  # fmt: skip
    _set(application, counts, actor=actor, at=at, points=found.points, rules=RULES)
    return counts


@transaction.atomic
def raise_grade(
    *, application: str, to: Grade, reason: str, by: User, actor: Actor, at: datetime
) -> None:
    """See more risk than the rules do. Nobody lowers a grade: the rules are changed instead.

    Raises ApplicationNotFound, or VerdictRefused: note_missing, grade_not_raised.
    """
    row = lock_for_review(application, by)
    if not reason.strip():
        raise VerdictRefused("note_missing")
    if to <= (row.risk or 0):
        raise VerdictRefused("grade_not_raised")
    last = row.grades.order_by("-pk").first()
    RiskGrade.objects.create(
        application=row, round=row.round, grade=to.value, points=last.points if last else 0,
        reasons=last.reasons if last else [], rules=RULES, raised_by=by,
        note=reason.strip()[:NOTE_MAX], at=at,
    )  # fmt: skip
    _set(row, to, actor=actor, at=at, reason=reason)


def next_review(application: Application, *, on: date) -> date:
    """When a merchant that is taken on today confirms its data at the latest."""
    return review_day(Grade(application.risk or Grade.HIGH), since=on)


def _worst(outcomes: Sequence[Outcome]) -> Screened:
    if any(one.confirmed_hits for one in outcomes):
        return Screened.CONFIRMED
    if any(one.open_hits or one.not_compared_with for one in outcomes):
        return Screened.OPEN
    if any(one.dismissed_hits for one in outcomes):
        return Screened.DISMISSED
    return Screened.CLEAR


def _set(
    application: Application, to: Grade, *, actor: Actor, at: datetime, reason: str = "",
    **facts: object,
) -> None:  # fmt: skip
    before, application.risk = application.risk, to.value
    application.save(update_fields=["risk"])
    record(
        actor, "application.graded", subject=("application", application.public_id), facts=facts,
        before={"risk": before or 0}, after={"risk": to.value}, reason=reason, at=at,
    )  # fmt: skip
