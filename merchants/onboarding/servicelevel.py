"""Whether applicants hear from the reviewers within the promised time. Pure: no clock, no database.

The promise counts hours of the clock, as the applicant does, not those of the office.
"""

from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum


class ServiceLevel(StrEnum):
    """How an application that waits stands to the promise."""

    IN_TIME = "in_time"
    TODAY = "today"
    """The promised moment comes before midnight."""
    LATE = "late"
    """It has gone by."""


def service_of(
    submitted_at: datetime, *, promised: timedelta, at: datetime, zone: tzinfo
) -> ServiceLevel:
    """How one stands that was submitted at a moment."""
    return next(
        level
        for level in ServiceLevel
        if _is_between(submitted_at, *submitted_for(level, promised=promised, at=at, zone=zone))
    )


def submitted_for(
    level: ServiceLevel, *, promised: timedelta, at: datetime, zone: tzinfo
) -> tuple[datetime | None, datetime | None]:
    """From when, and until before when, one was submitted that stands so. None: open."""
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), zone)
    late_before, today_before = at - promised, midnight - promised
    return {
        ServiceLevel.IN_TIME: (today_before, None),
        ServiceLevel.TODAY: (late_before, today_before),
        ServiceLevel.LATE: (None, late_before),
    }[level]


def _is_between(moment: datetime, begin: datetime | None, end: datetime | None) -> bool:
    return (begin is None or begin <= moment) and (end is None or moment < end)
