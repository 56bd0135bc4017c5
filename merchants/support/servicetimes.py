"""How soon tickets are seen to, in working hours. Pure rules.

Public holidays, and the weekend days on which China works in exchange, are left out of this cut: a
ticket that spans a holiday is due earlier than people work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from merchants.support.states import Priority

ZONE: Final = ZoneInfo("Asia/Shanghai")
OPENS: Final = time(9)
CLOSES: Final = time(18)
WORKING_DAYS: Final = frozenset(range(5))
"""Monday to Friday, as `datetime.weekday` counts them."""
WORKING_DAY: Final = timedelta(hours=CLOSES.hour - OPENS.hour)


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Working time within which a ticket is answered first, and resolved."""

    first_answer: timedelta
    resolution: timedelta


SERVICE_TIMES: Final[Mapping[Priority, ServiceTimes]] = MappingProxyType({
    Priority.NORMAL: ServiceTimes(timedelta(hours=4), 2 * WORKING_DAY),
    Priority.HIGH: ServiceTimes(timedelta(hours=2), WORKING_DAY),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class DueTimes:
    """Until when a ticket is to be answered first, and resolved."""

    first_answer: datetime
    resolution: datetime


def due_times(priority: Priority, *, since: datetime) -> DueTimes:
    """When a ticket of this priority is due that has waited since a moment (aware)."""
    times = SERVICE_TIMES[priority]
    return DueTimes(
        due_after(times.first_answer, since=since), due_after(times.resolution, since=since)
    )


def due_after(working: timedelta, *, since: datetime) -> datetime:
    """The moment at which so much working time has gone by, in the zone of the working hours.

    `working` is positive. What ends with a working day is due at its end, not next morning.
    """
    moment = since.astimezone(ZONE)
    left = working
    while True:
        opens = datetime.combine(moment.date(), OPENS, ZONE)
        closes = datetime.combine(moment.date(), CLOSES, ZONE)
        begins = max(moment, opens)
        if moment.weekday() in WORKING_DAYS and begins < closes:
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        moment = datetime.combine(moment.date() + timedelta(days=1), time(), ZONE)
