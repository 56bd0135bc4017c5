"""A merchant's day so far, from the events of today and yesterday."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from compliance.database import prepared
from merchants.access import MerchantAccess, require
from payments.acquiring.positions import first_id_since
from payments.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What became of payments between two moments. `volume` has one amount per currency."""

    volume: Mapping[str, Money]
    paid: int
    closed: int

    @property
    def success_percent(self) -> float | None:
        """Paid ones among those that came to an end; None when none did."""
        ended = self.paid + self.closed
        return 100 * self.paid / ended if ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Today until now, and yesterday until the same time."""

    today: DayFigures
    yesterday: DayFigures


_SUMS: Final = """
SELECT created_at >= %(start)s, type, data ->> 'currency',
       count(*), coalesce(sum((data ->> 'amount')::bigint), 0)::bigint
  FROM payments_event
 WHERE merchant_id = %(merchant)s AND livemode = %(livemode)s AND id >= %(first)s
   AND type IN ('payment.paid', 'payment.closed')
   AND (created_at BETWEEN %(start)s AND %(now)s
        OR created_at BETWEEN %(start_before)s AND %(now_before)s)
 GROUP BY 1, 2, 3
"""


def today_of(access: MerchantAccess, *, at: datetime) -> Today:
    """Two statements; they read the merchant's events of two days and nothing older."""
    require(access, "payments.read")
    start = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    rows = prepared(
        _SUMS,
        {
            "merchant": access.merchant_id,
            "livemode": access.livemode,
            "first": first_id_since("payments_event", "created_at", at=start - day),
            "start": start,
            "now": at,
            "start_before": start - day,
            "now_before": at - day,
        },
    )
    return Today(
        today=_figures([row[1:] for row in rows if row[0]]),
        yesterday=_figures([row[1:] for row in rows if not row[0]]),
    )


def _figures(rows: list[tuple[str, str, int, int]]) -> DayFigures:
    paid = [row for row in rows if row[0] == "payment.paid"]
    return DayFigures(
        volume={currency: Money(minor, currency) for _type, currency, _count, minor in paid},
        paid=sum(row[2] for row in paid),
        closed=sum(row[2] for row in rows if row[0] == "payment.closed"),
    )
