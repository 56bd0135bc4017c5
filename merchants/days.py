"""Which day it is where the platform's business is: papers expire at its midnight."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.timezone import localtime


def day_of(at: datetime) -> date:
    """The day of a moment."""
    return localtime(at, ZoneInfo(settings.TIME_ZONE)).date()
