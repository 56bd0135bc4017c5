"""When a merchant that was taken on confirms its data next: its grade decides."""

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from compliance.audit.actor import SYSTEM, Actor
from merchants.accounts.models import Merchant
from merchants.days import day_of
from merchants.onboarding.grading import Grade, review_day
from merchants.onboarding.models import Application
from merchants.onboarding.reading import standing_of
from merchants.onboarding.risk import grade_application
from merchants.onboarding.states import ApplicationState
from merchants.terms.expiry import NOTICE_DAYS
from merchants.terms.models import Term
from merchants.terms.renewing import register_next_review
from merchants.terms.states import TermKind
from merchants.terms.watch import WATCHED, begin_terms

NOTICE: Final = timedelta(days=max(NOTICE_DAYS))
LOT: Final = 200


def regrade_merchant(*, merchant: Merchant, actor: Actor, at: datetime) -> Grade:
    """Grade a merchant anew by the data that it was taken on with; HIGH where there are none.

    The caller holds the merchant's lock.
    """
    found = (
        Application.objects.select_for_update()
        .filter(merchant=merchant, state=ApplicationState.APPROVED)
        .order_by("-pk")
        .first()
    )
    grade = Grade.HIGH
    if found is not None:
        standing = standing_of(found, on=day_of(at))
        grade = grade_application(found, standing, actor=actor, at=at)
    merchant.risk = grade.value
    merchant.save(update_fields=["risk"])
    return grade


def begin_missing_reviews(*, at: datetime) -> int:
    """Ask those too that were taken on before anybody graded merchants; how many.

    Called hourly. Their time counts from the day on which they were taken on, and yet each is
    written to as long before as the others. Safe to run at once: each is a transaction of its own.
    """
    found = _without_review().order_by("pk").values_list("pk", flat=True)
    return sum(_begin(row, at) for row in found.iterator(chunk_size=LOT))


def _without_review() -> QuerySet[Merchant]:
    asked = Term.objects.filter(
        merchant=OuterRef("pk"), kind=TermKind.REVIEW, replaced_at__isnull=True
    )
    taken_on = Application.objects.filter(merchant=OuterRef("pk"), state=ApplicationState.APPROVED)
    return Merchant.objects.filter(~Exists(asked), Exists(taken_on), status__in=WATCHED)


@transaction.atomic
def _begin(row: int, at: datetime) -> bool:
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=row)
    if not _without_review().filter(pk=row).exists():
        return False
    taken_on = (
        Application.objects.filter(merchant=merchant, state=ApplicationState.APPROVED)
        .order_by("-pk")
        .values_list("ended_at", flat=True)
        .first()
    )
    grade = regrade_merchant(merchant=merchant, actor=SYSTEM, at=at)
    day = max(review_day(grade, since=day_of(taken_on or at)), day_of(at) + NOTICE)
    begin_terms(
        merchant=merchant, terms=[Term(kind=TermKind.REVIEW, last_day=day)], actor=SYSTEM, at=at
    )
    return True


def _next_review_of(merchant: Merchant, actor: Actor, at: datetime) -> date:
    return review_day(regrade_merchant(merchant=merchant, actor=actor, at=at), since=day_of(at))


def register_reviews() -> None:
    """Called once, when the application is ready."""
    register_next_review(_next_review_of)
