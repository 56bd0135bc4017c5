"""When the people of a key hear that it ends."""

from datetime import datetime, timedelta
from typing import Final

STAGES: Final = (14, 3)
"""Days before the end."""


def stage_of(ends_at: datetime | None, *, at: datetime) -> int | None:
    """The nearest stage that has begun, or None while there is time."""
    if ends_at is None:
        return None
    left = ends_at - at
    return min((days for days in STAGES if left <= timedelta(days=days)), default=None)
