"""Grading an application, raising its grade, and what is done for a high one."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.numbers import new_number
from merchants.accounts.models import Merchant
from merchants.days import day_of
from merchants.onboarding.grading import RULES, Grade, Screened, diligence_for, grade, review_day
from merchants.onboarding.models import Application, Diligence, RiskGrade
from merchants.onboarding.reading import Standing, standing_of
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.reviewing import lock_for_review
from merchants.onboarding.screened import outcomes_for
from merchants.screening.queries import Outcome
from merchants.terms.renewing import register_next_review

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


@transaction.atomic
def note_diligence(
    *, application: str, measure: str, note: str, by: User, actor: Actor, at: datetime
) -> Diligence:
    """Say that a measure was taken, and what came of it.

    Raises ApplicationNotFound, or VerdictRefused: note_missing, measure_not_wanted.
    """
    row = lock_for_review(application, by)
    if not note.strip():
        raise VerdictRefused("note_missing")
    if measure not in measures_of(row):
        raise VerdictRefused("measure_not_wanted")
    kept = Diligence(
        public_id=new_number("dil_", at=at), application=row, measure=measure, by=by, at=at
    )
    kept.note_sealed = note.strip()[:NOTE_MAX]
    kept.save()
    record(
        actor, "application.diligence_noted", subject=("application", row.public_id),
        facts={"measure": measure, "note": kept.public_id}, at=at,
    )  # fmt: skip
    return kept


def measures_of(application: Application) -> tuple[str, ...]:
    """What is wanted for its grade."""
    return diligence_for(Grade(application.risk)) if application.risk else ()


def missing_diligence(application: Application) -> Sequence[str]:
    """What is wanted, and nobody has said is done."""
    done = set(application.diligence.values_list("measure", flat=True))
    return [measure for measure in measures_of(application) if measure not in done]


def next_review(application: Application, *, on: date) -> date:
    """When a merchant that is taken on today confirms its data at the latest."""
    return review_day(Grade(application.risk or Grade.HIGH), since=on)


def regrade_merchant(*, merchant_id: int, actor: Actor, at: datetime) -> Grade:
    """Grade a merchant anew by the data that it was taken on with; HIGH where there are none.

    The caller holds the merchant's lock.
    """
    found = (
        Application.objects.select_for_update()
        .filter(merchant_id=merchant_id, state="approved")
        .order_by("-pk")
        .first()
    )
    if found is None:
        return Grade.HIGH
    return grade_application(found, standing_of(found, on=day_of(at)), actor=actor, at=at)


def _next_review_of(merchant: Merchant, actor: Actor, at: datetime) -> date:
    found = regrade_merchant(merchant_id=merchant.pk, actor=actor, at=at)
    merchant.risk = found.value
    merchant.save(update_fields=["risk"])
    return review_day(found, since=day_of(at))


def register_reviews() -> None:
    """Called once, when the application is ready."""
    register_next_review(_next_review_of)


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
