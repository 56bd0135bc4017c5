"""An application is graded anew when screening says something else of somebody whom it names."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from compliance.audit.actor import Actor
from merchants.days import day_of
from merchants.onboarding.models import Application
from merchants.onboarding.reading import standing_of
from merchants.onboarding.risk import grade_application
from merchants.onboarding.screened import PARTY
from merchants.onboarding.states import ApplicationState
from merchants.screening.subjects import Dependants, register_dependants


def _named_in(references: Collection[str]) -> QuerySet[Application]:
    """Those that lie with the reviewers. What went back is graded when it is handed in again, and
    a merchant that was taken on when it confirms its data.
    """
    numbers = {reference.partition(":")[0] for reference in references}
    waiting = Application.objects.filter(state=ApplicationState.IN_REVIEW, public_id__in=numbers)
    return waiting.order_by("pk").select_for_update()


def _hold(references: Collection[str]) -> None:
    """Whoever submits holds the application before its checks; so does whoever changes them."""
    list(_named_in(references))


def _grade_again(references: Collection[str], actor: Actor, at: datetime) -> None:
    for application in _named_in(references):
        standing = standing_of(application, on=day_of(at))
        grade_application(application, standing, actor=actor, at=at)


def register_regrading() -> None:
    """Called once, when the application is ready."""
    register_dependants(PARTY, Dependants(hold=_hold, changed=_grade_again))
