"""What a list of payments is narrowed by, read from what people typed. Nonsense narrows nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from compliance.identity.zones import platform_zone
from merchants.access import MerchantAccess, require
from payments.acquiring.models import Payment
from payments.acquiring.pages import KEY_MAX, OwnReach, Place, Slice, page_at
from payments.acquiring.positions import Span
from payments.acquiring.states import PaymentState
from payments.channels.registry import methods
from payments.errors import MoneyMalformed
from payments.money import Money
from payments.routing.queries import channels_of

YEARS: Final = range(1970, 9000)
"""Other days are typing errors, and near the ends of the calendar sums overflow."""
TYPED_MAX: Final = 20
FIELDS: Final = ("status", "method", "channel", "from", "to", "least", "most")
EVER: Final = Span(datetime(1970, 1, 2, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """Empty fields do not narrow. Amounts are minor units, both ends included."""

    status: str = ""
    method: str = ""
    channel: str = ""
    least: int | None = None
    most: int | None = None
    first: date | None = None
    last: date | None = None

    @property
    def is_sifting(self) -> bool:
        """Whether rows must be looked at to tell; days alone are found by key."""
        return bool(self.status or self.method or self.channel) or self.has_amount

    @property
    def has_amount(self) -> bool:
        """Whether an amount was typed."""
        return self.least is not None or self.most is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is narrowed."""
        return not (self.is_sifting or self.first or self.last)

    @property
    def span(self) -> Span | None:
        """The days, both included, as moments."""
        return days_between(self.first, self.last)

    def asked(self) -> dict[str, str]:
        """The fields as they stand in an address."""
        values = {
            "status": self.status, "method": self.method, "channel": self.channel,
            "from": str(self.first or ""), "to": str(self.last or ""),
            "least": _decimal(self.least), "most": _decimal(self.most),
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}


def read_sieve(asked: Mapping[str, str], *, livemode: bool) -> Sieve:
    """Read an address or a form."""
    words = {name: asked.get(name, "").strip()[:64] for name in FIELDS}
    codes = {line.code for line in channels_of(livemode=livemode)}
    return Sieve(
        status=words["status"] if words["status"] in PaymentState.values else "",
        method=words["method"] if words["method"] in methods() else "",
        channel=words["channel"] if words["channel"] in codes else "",
        least=read_amount(words["least"]),
        most=read_amount(words["most"]),
        first=read_day(words["from"]),
        last=read_day(words["to"]),
    )


def read_amount(text: str) -> int | None:
    """ "1,280.50" in fen; None for what is no amount, or negative."""
    try:
        minor = Money.parse(text.strip()[:TYPED_MAX].replace(",", "")).minor
    except MoneyMalformed:
        return None
    return minor if minor >= 0 else None


def read_day(text: str) -> date | None:
    """A day, or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def days_between(first: date | None, last: date | None) -> Span | None:
    """From the beginning of one day to the end of another, either open; None when both are."""
    if first is None and last is None:
        return None
    start = _beginning(first) if first else EVER.start
    return Span(start, _beginning(last + timedelta(days=1)) if last else EVER.end)


def sifted(access: MerchantAccess, sieve: Sieve) -> tuple[QuerySet[Payment], OwnReach]:
    """A merchant's payments of one mode that pass, and where to look for them."""
    require(access, "payments.read")
    own = Payment.objects.filter(merchant_id=access.merchant_id, livemode=access.livemode)
    rows = own
    if sieve.status:
        rows = rows.filter(state=sieve.status)
    if sieve.method:
        rows = rows.filter(method=sieve.method)
    if sieve.channel:
        ids = [one.pk for one in channels_of(livemode=access.livemode) if one.code == sieve.channel]
        rows = rows.filter(channel_id__in=ids)
    rows = rows.filter(**amount_lookups(sieve.least, sieve.most))
    low, high = 0, KEY_MAX
    if sieve.span:
        low, high = sieve.span.keys("payments_payment", "created_at")
        rows = rows.filter(**sieve.span.lookups("created_at"))
    reach = OwnReach(low=low, high=high, is_sifted=sieve.is_sifting, own=own)
    return rows, reach


def amount_lookups(least: int | None, most: int | None) -> dict[str, Any]:
    """The condition on amounts, both included."""
    lookups = {"amount_minor__gte": least, "amount_minor__lte": most}
    return {name: value for name, value in lookups.items() if value is not None}


def page_of(access: MerchantAccess, sieve: Sieve, *, place: Place, size: int) -> Slice:
    """A page of a merchant's payments, newest first."""
    rows, reach = sifted(access, sieve)
    return page_at(rows.select_related("channel"), reach, place=place, size=size)


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, platform_zone())


def _decimal(minor: int | None) -> str:
    return "" if minor is None else Money(minor).decimal
