"""How risky a merchant is, by rules that can be read and shown. Nothing here looks at a database.

Article 30 of the 反洗钱法 (2024) wants measures in proportion to the risk. How many points a
circumstance counts is this platform's own choice, not the law's: the table stands below, every
grade comes with the reasons that made it, and a person decides.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.rules import OWNER_SHARE
from merchants.onboarding.sections import Reading, Values, first_row

_MONTHS: Final = 12


class Grade(IntEnum):
    """The riskier the higher."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Screened(IntEnum):
    """The worst that comparing a merchant's people with the lists came to."""

    CLEAR = 0
    DISMISSED = 1
    """A person looked at a hit and found somebody else."""
    OPEN = 2
    """Not compared with every list in use, or nobody has looked at a hit yet."""
    CONFIRMED = 3


RULES: Final = "2026-11"
"""The version of all that stands below. It is kept with each grade: change it with the table."""
MEDIUM_POINTS: Final = 20
"""One circumstance that matters makes a merchant medium; several small ones do too."""
HIGH_POINTS: Final = 50
"""A risky trade is high with one thing more. Alone only what keeps a merchant out comes so far."""

POINTS: Final[Mapping[str, int]] = MappingProxyType({
    "category_high": 40,
    "category_medium": 20,
    "category_blocked": HIGH_POINTS,
    "volume_high": 30,
    "volume_raised": 10,
    "amount_high": 20,
    "amount_raised": 10,
    "amount_above_volume": 20,
    "company_new": 20,
    "company_young": 10,
    "held_by_companies": 20,
    "owner_by_control": 20,
    "owner_is_manager": 20,
    "owner_from_outside": 10,
    "site_without_filing": 20,
    "paid_to_a_card": 10,
    "screening_dismissed": 10,
    "screening_open": 30,
    "screening_confirmed": HIGH_POINTS,
    "not_stated": MEDIUM_POINTS,
})  # fmt: skip
"""Codes are stable: grades are kept with their reasons. Pages have words for each."""

VOLUME_HIGH_YUAN: Final = 5_000_000
VOLUME_RAISED_YUAN: Final = 500_000
AMOUNT_HIGH_YUAN: Final = 50_000
"""A single payment of what banks report as large where it is cash."""
AMOUNT_RAISED_YUAN: Final = 5_000
NEW_MONTHS: Final = 6
YOUNG_MONTHS: Final = 24
"""Companies that are bought or founded for one fraud are mostly younger."""
OUTSIDE_AREAS: Final = frozenset({"81", "82", "83"})
"""Residence permits for people of Hong Kong, Macau and Taiwan: registers of the mainland show
little of what such owners hold elsewhere. Foreigners have no number that the form takes.
"""

REVIEW_MONTHS: Final[Mapping[Grade, int]] = MappingProxyType(
    {Grade.LOW: 36, Grade.MEDIUM: 12, Grade.HIGH: 6}
)
"""So often somebody looks at a merchant again, whatever happens. No rule fixes the numbers."""

DILIGENCE: Final = (
    "source_of_funds",
    "purpose_in_detail",
    "site_visit",
    "senior_approval",
    "tighter_limits",
)
"""What is done for a high grade beside all else: articles 29 and 30 of the 反洗钱法."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A circumstance that counts. `code` is one of POINTS."""

    code: str
    points: int


@dataclass(frozen=True, slots=True)
class Grading:
    """A grade with all that made it, the heaviest reason first."""

    grade: Grade
    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """All reasons together."""
        return sum(reason.points for reason in self.reasons)


def grade(read: Mapping[str, Reading], *, screened: Screened, on: date) -> Grading:
    """Grade a merchant by what it states, as of a day.

    What could not be read counts against it: nobody gets a low grade by saying nothing.
    """
    codes = {
        *_trade(first_row(read, "business")),
        *_age(first_row(read, "licence"), on),
        *_ownership(read),
        *_payout(first_row(read, "account")),
        *_screening(screened),
    }
    reasons = [Reason(code, POINTS[code]) for code in codes]
    reasons.sort(key=lambda reason: (-reason.points, reason.code))
    total = sum(reason.points for reason in reasons)
    if total >= HIGH_POINTS:
        return Grading(Grade.HIGH, tuple(reasons))
    return Grading(Grade.MEDIUM if total >= MEDIUM_POINTS else Grade.LOW, tuple(reasons))


def review_day(grade: Grade, *, since: date) -> date:
    """When a merchant that was looked at on a day is looked at again at the latest.

    On the same day of the month, or on the last one of a shorter month.
    """
    months = since.year * _MONTHS + since.month - 1 + REVIEW_MONTHS[grade]
    year, month = divmod(months, _MONTHS)
    return date(year, month + 1, min(since.day, monthrange(year, month + 1)[1]))


def diligence_for(grade: Grade) -> tuple[str, ...]:
    """What must be done beside all else before such a merchant is taken on, or kept."""
    return DILIGENCE if grade is Grade.HIGH else ()


def _trade(row: Values) -> Iterator[str]:
    category = CATEGORIES.get(str(row.get("category", "")))
    volume, amount = row.get("monthly_volume"), row.get("usual_amount")
    if category is None or not isinstance(volume, int) or not isinstance(amount, int):
        yield "not_stated"
    if category is not None and category.is_blocked:
        yield "category_blocked"
    elif category is not None and category.risk != "low":
        yield f"category_{category.risk}"
    if isinstance(volume, int):
        yield from _tier("volume", volume, raised=VOLUME_RAISED_YUAN, high=VOLUME_HIGH_YUAN)
    if isinstance(amount, int):
        yield from _tier("amount", amount, raised=AMOUNT_RAISED_YUAN, high=AMOUNT_HIGH_YUAN)
        if isinstance(volume, int) and amount > volume:
            yield "amount_above_volume"
    if row.get("place") in {"site", "app"} and "icp_number" not in row:
        yield "site_without_filing"


def _tier(what: str, value: int, *, raised: int, high: int) -> Iterator[str]:
    if value >= high:
        yield f"{what}_high"
    elif value >= raised:
        yield f"{what}_raised"


def _age(row: Values, on: date) -> Iterator[str]:
    begun = row.get("valid_from")
    if not isinstance(begun, date):
        yield "not_stated"
        return
    months = (on.year - begun.year) * _MONTHS + on.month - begun.month - (on.day < begun.day)
    if months < NEW_MONTHS:
        yield "company_new"
    elif months < YOUNG_MONTHS:
        yield "company_young"


def _ownership(read: Mapping[str, Reading]) -> Iterator[str]:
    holders = read["shareholders"].rows if "shareholders" in read else ()
    owners = read["owners"].rows if "owners" in read else ()
    shares = [row.get("share") for row in holders if row.get("kind") == "company"]
    if sum((share for share in shares if isinstance(share, Decimal)), Decimal(0)) >= OWNER_SHARE:
        yield "held_by_companies"
    bases = {row.get("basis") for row in owners}
    if "control" in bases:
        yield "owner_by_control"
    if "manager" in bases:
        yield "owner_is_manager"
    people = (*holders, *owners, first_row(read, "legal_person"))
    if any(str(row.get("identity_number", ""))[:2] in OUTSIDE_AREAS for row in people):
        yield "owner_from_outside"
    if "owners" in read and not owners:
        yield "not_stated"


def _payout(row: Values) -> Iterator[str]:
    if row.get("kind") == "personal":
        yield "paid_to_a_card"


def _screening(screened: Screened) -> Iterator[str]:
    if screened is not Screened.CLEAR:
        yield f"screening_{screened.name.lower()}"
