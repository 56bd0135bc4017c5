"""What follows from the day by which a merchant confirms its data. Pure: no database, no clock."""

from datetime import date
from enum import IntEnum
from typing import Final

from merchants.terms.expiry import NOTICE_DAYS

OVERDUE_DAYS: Final = 30
"""So many days after the day business goes on as before: nothing is known to be wrong, an answer is
missing. No rule fixes the number.
"""


class ReviewStage(IntEnum):
    """How far a confirmation is, the later the higher. Each but the first is told by letter."""

    FAR = 0
    NOTICE_60 = 1
    NOTICE_30 = 2
    NOTICE_7 = 3
    DUE = 4
    """The day has come."""
    OVERDUE = 5
    """More than OVERDUE_DAYS ago: payouts wait until the merchant has answered and was believed."""


_NOTICES: Final = dict(
    zip(
        NOTICE_DAYS,
        (ReviewStage.NOTICE_60, ReviewStage.NOTICE_30, ReviewStage.NOTICE_7),
        strict=True,
    )
)


def review_stage_of(day: date | None, *, on: date) -> ReviewStage:
    """How far the confirmation is that is wanted by a day. None: nobody asks for one."""
    if day is None:
        return ReviewStage.FAR
    left = (day - on).days
    if left < -OVERDUE_DAYS:
        return ReviewStage.OVERDUE
    if left <= 0:
        return ReviewStage.DUE
    return next((_NOTICES[days] for days in sorted(NOTICE_DAYS) if left <= days), ReviewStage.FAR)
