"""What follows from a paper's last day. Pure: nothing here looks at a database or a clock."""

from datetime import date
from enum import IntEnum
from typing import Final

NOTICE_DAYS: Final = (60, 30, 7)
"""So many days before the last one its merchant is written to."""
GRACE_DAYS: Final = 15
"""So many days after the last one business goes on, but limited: an office takes about two weeks to
hand out a new licence, and who has asked for it in time should not lose a day of sales.
"""


class Stage(IntEnum):
    """How far a paper is, the worse the higher."""

    GOOD = 0
    NOTICE_60 = 1
    NOTICE_30 = 2
    NOTICE_7 = 3
    LIMITED = 4
    """It ran out: payouts wait, payments go on."""
    STOPPED = 5
    """It ran out long ago: no new payments. What was paid can be refunded."""


_NOTICES: Final = dict(
    zip(NOTICE_DAYS, (Stage.NOTICE_60, Stage.NOTICE_30, Stage.NOTICE_7), strict=True)
)


def stage_of(last_day: date | None, *, on: date) -> Stage:
    """How far a paper is on a day. It is good to the end of its last day; None has no end."""
    if last_day is None:
        return Stage.GOOD
    left = (last_day - on).days
    if left < -GRACE_DAYS:
        return Stage.STOPPED
    if left < 0:
        return Stage.LIMITED
    return next((_NOTICES[days] for days in sorted(NOTICE_DAYS) if left <= days), Stage.GOOD)
