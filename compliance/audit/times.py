"""Times as people type them when they look something up."""

from datetime import UTC, datetime, time

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str) -> datetime | None:
    """A day (its beginning) or a moment; in the platform's time zone unless it names another.

    None for anything else.
    """
    try:
        # A day first: a moment may be written without its time, too.
        day = parse_date(text)
        found = datetime.combine(day, time.min) if day else parse_datetime(text)
        if found is None:
            return None
        aware = timezone.make_aware(found) if timezone.is_naive(found) else found
        # Days at the ends of the calendar have no place in other zones.
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
