"""The day so far, hour by hour and channel by channel, beside the day before.

Volume, payments and refunds are counted by their events; success by the attempts that were begun.
Both tables are entered by key where yesterday begins: nothing older is read, however much there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from django.utils import timezone

from compliance.database import prepared
from compliance.identity.zones import platform_zone
from merchants.access import MerchantAccess, require
from payments.acquiring.positions import first_id_since
from payments.money import Money

HOURS: Final = 24
Rows: TypeAlias = list[tuple[Any, ...]]
PAID: Final = "payment.paid"
CLOSED: Final = "payment.closed"
REFUNDED: Final = "refund.succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What became of payments between two moments. Volumes have one amount per currency."""

    volume: Mapping[str, Money]
    paid: int
    closed: int
    refunded: Mapping[str, Money]
    refunds: int

    @property
    def success_percent(self) -> float | None:
        """Paid ones among those that came to an end; None when none did."""
        return _percent(self.paid, self.paid + self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of the clock: volume in yuan of the main currency, and payments, of both days.

    Yesterday's is whole, also where today's has not come yet.
    """

    hour: int
    volume: Money
    paid: int
    volume_before: Money
    paid_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDay:
    """Attempts on one channel that were begun and came to an end, until now and until then."""

    name: str
    paid: int
    ended: int
    paid_before: int
    ended_before: int

    @property
    def percent(self) -> float | None:
        """Of today; None when none came to an end."""
        return _percent(self.paid, self.ended)

    @property
    def percent_before(self) -> float | None:
        """Of yesterday until the same time."""
        return _percent(self.paid_before, self.ended_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Today until now, and yesterday until the same time; hours and channels in their order."""

    today: DayFigures
    yesterday: DayFigures
    hours: Sequence[Hour]
    channels: Sequence[ChannelDay]
    at: datetime


_EVENTS: Final = """
SELECT created_at >= %(start)s AS is_today,
       created_at >= %(start)s OR created_at <= %(now_before)s AS is_until_now,
       extract(epoch FROM created_at - CASE WHEN created_at >= %(start)s THEN %(start)s::timestamptz
               ELSE %(start_before)s::timestamptz END)::int / 3600 AS hour,
       type, data ->> 'currency', count(*), coalesce(sum((data ->> 'amount')::bigint), 0)::bigint
  FROM payments_event
 WHERE {whose} livemode = %(livemode)s AND id >= %(first)s
   AND type IN ('payment.paid', 'payment.closed', 'refund.succeeded')
   AND created_at >= %(start_before)s AND created_at <= %(now)s
 GROUP BY 1, 2, 3, 4, 5
"""
_ATTEMPTS: Final = """
SELECT c.name, a.created_at >= %(start)s,
       count(*) FILTER (WHERE a.state = 'succeeded'), count(*)
  FROM {tables} JOIN payments_channel c ON c.id = a.channel_id
 WHERE {whose} a.state IN ('succeeded', 'failed', 'closed', 'abandoned', 'late')
   AND (a.created_at BETWEEN %(start)s AND %(now)s
        OR a.created_at BETWEEN %(start_before)s AND %(now_before)s)
 GROUP BY 1, 2
"""
_OWN_EVENTS: Final = _EVENTS.format(whose="merchant_id = %(merchant)s AND")
_OWN_ATTEMPTS: Final = _ATTEMPTS.format(
    tables="payments_payment p JOIN payments_attempt a ON a.payment_id = p.id",
    whose="p.merchant_id = %(merchant)s AND p.livemode = %(livemode)s AND p.id >= %(first)s AND",
)
_ALL_EVENTS: Final = _EVENTS.format(whose="")
_ALL_ATTEMPTS: Final = _ATTEMPTS.format(
    tables="payments_attempt a", whose="c.livemode = %(livemode)s AND a.id >= %(first)s AND"
)


def today_of(access: MerchantAccess, *, at: datetime) -> Today:
    """A merchant's day of business, wherever its reader is. Four statements, over its events and
    attempts of two days.
    """
    require(access, "payments.read")
    values = {"merchant": access.merchant_id, "livemode": access.livemode, **_moments(at)}
    since = values["start_before"]
    return _today(
        prepared(_OWN_EVENTS, values | {"first": _first("payments_event", since)}),
        # Attempts follow their payment within days: one on an older order is not worth the search.
        prepared(_OWN_ATTEMPTS, values | {"first": _first("payments_payment", since)}),
        at=at,
    )


def today_of_all(*, livemode: bool, at: datetime) -> Today:
    """Everybody's day, for the staff. Four statements, over all of two days."""
    values = {"livemode": livemode, **_moments(at)}
    since = values["start_before"]
    return _today(
        prepared(_ALL_EVENTS, values | {"first": _first("payments_event", since)}),
        prepared(_ALL_ATTEMPTS, values | {"first": _first("payments_attempt", since)}),
        at=at,
    )


def _moments(at: datetime) -> dict[str, Any]:
    start = timezone.localtime(at, platform_zone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    day = timedelta(days=1)
    return {"start": start, "now": at, "start_before": start - day, "now_before": at - day}


def _first(table: str, since: datetime) -> int:
    return first_id_since(table, "created_at", at=since)


def _today(events: Rows, attempts: Rows, *, at: datetime) -> Today:
    return Today(
        today=_figures([row[3:] for row in events if row[0]]),
        yesterday=_figures([row[3:] for row in events if not row[0] and row[1]]),
        hours=_hours(events),
        channels=_channels(attempts),
        at=at,
    )


def _figures(rows: Rows) -> DayFigures:
    return DayFigures(
        volume=_volume(rows, PAID), paid=_count(rows, PAID), closed=_count(rows, CLOSED),
        refunded=_volume(rows, REFUNDED), refunds=_count(rows, REFUNDED),
    )  # fmt: skip


def _volume(rows: Rows, what: str) -> dict[str, Money]:
    sums: dict[str, int] = {}
    for kind, currency, _number, minor in rows:
        if kind == what:
            sums[currency] = sums.get(currency, 0) + minor
    return {currency: Money(minor, currency) for currency, minor in sums.items()}


def _count(rows: Rows, what: str) -> int:
    return sum(row[2] for row in rows if row[0] == what)


def _hours(events: Rows) -> Sequence[Hour]:
    """In the currency of most payments: bars of two currencies would compare what cannot be."""
    paid = [row for row in events if row[3] == PAID]
    counts: dict[str, int] = {}
    for row in paid:
        counts[row[4]] = counts.get(row[4], 0) + row[5]
    main = max(counts, key=lambda currency: counts[currency], default="CNY")

    def both(hour: int, *, is_today: bool) -> tuple[Money, int]:
        here = [row for row in paid if row[0] == is_today and row[2] == hour]
        minor = sum(row[6] for row in here if row[4] == main)
        return Money(minor, main), sum(row[5] for row in here)

    made = []
    for hour in range(HOURS):
        volume, count = both(hour, is_today=True)
        volume_before, count_before = both(hour, is_today=False)
        made.append(
            Hour(
                hour=hour, volume=volume, paid=count, volume_before=volume_before,
                paid_before=count_before,
            )
        )  # fmt: skip
    return made


def _channels(rows: Rows) -> Sequence[ChannelDay]:
    found = {(name, is_today): (paid, ended) for name, is_today, paid, ended in rows}
    made = []
    for name in sorted({row[0] for row in rows}):
        paid, ended = found.get((name, True), (0, 0))
        paid_before, ended_before = found.get((name, False), (0, 0))
        made.append(
            ChannelDay(
                name=name, paid=paid, ended=ended, paid_before=paid_before,
                ended_before=ended_before,
            )
        )  # fmt: skip
    return sorted(made, key=lambda one: (-one.ended, one.name))


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
