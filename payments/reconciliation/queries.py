"""Reads days and differences for faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from compliance.identity.models import User
from compliance.identity.roles import ABILITIES, Ability
from payments.money import Money
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.states import DifferenceState, Found

KEY_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One row of a day's page: what we say, what they say."""

    kind: str
    ours: int
    ours_sum: Money
    theirs: int
    theirs_sum: Money

    @property
    def apart(self) -> Money:
        """Theirs less ours."""
        return self.theirs_sum - self.ours_sum


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCount:
    """How many differences of a class a day has, and how many of them wait."""

    found: Found
    count: int
    waiting: int


def sides_of(run: ReconciliationRun) -> Sequence[Side]:
    """Payments and refunds of a day."""
    return [
        Side(
            kind=kind,
            ours=getattr(run, f"ours_{kind}"),
            ours_sum=Money(getattr(run, f"ours_{kind}_minor"), run.currency),
            theirs=getattr(run, f"theirs_{kind}"),
            theirs_sum=Money(getattr(run, f"theirs_{kind}_minor"), run.currency),
        )
        for kind in ("payments", "refunds")
    ]


def classes_of(run: ReconciliationRun) -> Sequence[ClassCount]:
    """The day's differences by class."""
    rows = (
        Difference.objects.filter(run=run)
        .values("found")
        .annotate(count=Count("pk"), waiting=Count("pk", filter=Q(state=DifferenceState.OPEN)))
        .order_by("found")
    )
    return [
        ClassCount(found=Found(row["found"]), count=row["count"], waiting=row["waiting"])
        for row in rows
    ]


def with_waiting(runs: QuerySet[ReconciliationRun]) -> QuerySet[ReconciliationRun]:
    """Runs with the number of their open differences as `waiting`."""
    its_open = Difference.objects.filter(run=OuterRef("pk"), state=DifferenceState.OPEN)
    counted = its_open.order_by().values("run").annotate(count=Count("pk")).values("count")
    return runs.annotate(waiting=Coalesce(Subquery(counted), 0))


def colleagues() -> QuerySet[User]:
    """Who may own differences."""
    roles = [role for role, held in ABILITIES.items() if Ability.BOOKS_REQUEST in held]
    people = User.objects.filter(is_active=True, role_grants__role__in=roles)
    return people.distinct().order_by("username")


def colleague(key: str) -> User | None:
    """One of them, by what a form sent."""
    is_key = key.isascii() and key.isdecimal() and len(key) <= KEY_DIGITS_MAX
    return colleagues().filter(pk=int(key)).first() if is_key else None
