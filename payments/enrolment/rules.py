"""When a gateway is asked again about an application, and how many days are left. Pure rules."""

from datetime import date, datetime, timedelta
from typing import Final

LEASE: Final = timedelta(minutes=5)
"""How long a worker has an enrolment to itself: several papers may go out, each to a slow gateway.
"""
ASK_AFTER: Final = tuple(timedelta(minutes=m) for m in (1, 5, 10, 30, 60, 120, 240, 360))
"""Waits between questions about one state: reviewers take days. The last one repeats."""
ASKED_MAX: Final = 240
"""After so many questions in one state, some two months, a person must look."""


def ask_again_at(asked: int, *, at: datetime) -> datetime:
    """When to ask next, having asked `asked` times since the state began."""
    return at + ASK_AFTER[min(asked, len(ASK_AFTER) - 1)]


def days_left(lapses: date, *, on: date) -> int:
    """Whole days until the gateway lets an application lapse; the last day itself counts as 0."""
    return max((lapses - on).days, 0)
