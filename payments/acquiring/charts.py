"""The day as a picture: figures in words, and bars as numbers that a template draws as SVG.

The policy of our pages allows no style attribute, so places and sizes are attributes of the shapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compliance.identity.zones import platform_zone
from payments.acquiring.today import HOURS, ChannelDay, Hour, Today
from payments.money import Money

HEIGHT: Final = 100.0
SLOT: Final = 30.0
"""Width of an hour in the picture: a bar of yesterday, and in front of it one of today."""
VISIBLE: Final = 1.0
"""A bar that is not nought is never lower than this."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure, and a line below it that says how it compares."""

    label: str
    value: str
    note: str
    trend: str = ""
    """"", up, down or warn."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour in the picture and in the table behind it. Upside down, as SVG counts."""

    hour: Hour
    x: float
    x_before: float
    y: float
    height: float
    y_before: float
    height_before: float


@dataclass(frozen=True, slots=True)
class Rate:
    """A channel's line: its share of paid attempts, with the words."""

    channel: ChannelDay
    width: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class DayPicture:
    """All that the part `parts/day.html` draws."""

    bars: Sequence[Bar]
    rates: Sequence[Rate]
    summary: str
    highest: Money
    is_empty: bool
    until: str


def picture_of(day: Today) -> DayPicture:
    """Draw the day."""
    highest = max(max(one.volume.minor, one.volume_before.minor) for one in day.hours)
    until = f"{timezone.localtime(day.at, platform_zone()):%H:%M}"
    return DayPicture(
        bars=[_bar(one, highest) for one in day.hours],
        rates=[_rate(one) for one in day.channels],
        summary=_summary(day, until),
        highest=Money(highest, day.hours[0].volume.currency),
        is_empty=not any(one.paid or one.paid_before for one in day.hours),
        until=until,
    )


def volume_figure(day: Today) -> Figure:
    """What was taken in."""
    return _money_figure(_("Volume"), day.today.volume, day.yesterday.volume)


def paid_figure(day: Today) -> Figure:
    """How many were paid."""
    note = _("%(count)d yesterday at this time") % {"count": day.yesterday.paid}
    return Figure(_("Paid"), f"{day.today.paid:,}", note)


def success_figure(day: Today) -> Figure:
    """How many of those that came to an end were paid."""
    percent, closed = day.today.success_percent, day.today.closed
    note = ngettext("%(count)d closed unpaid", "%(count)d closed unpaid", closed)
    return Figure(_("Success rate"), percent_text(percent), note % {"count": closed})


def refund_figure(day: Today) -> Figure:
    """What went back."""
    count = day.today.refunds
    note = ngettext("%(count)d refund", "%(count)d refunds", count) % {"count": count}
    before = _("%(amount)s yesterday at this time") % {"amount": _sums(day.yesterday.refunded)}
    # More that goes back is no progress, so there is no arrow.
    return Figure(_("Refunded"), _sums(day.today.refunded), f"{note} · {before}")


def percent_text(percent: float | None) -> str:
    """A share for people."""
    return "–" if percent is None else f"{percent:.1f}%"


def _sums(amounts: Mapping[str, Money]) -> str:
    return ", ".join(money.text for money in amounts.values()) or Money(0).text


def _money_figure(label: str, now: Mapping[str, Money], then: Mapping[str, Money]) -> Figure:
    amounts = sorted(now.values(), key=lambda money: money.currency != "CNY")
    main = amounts[0] if amounts else Money(0)
    before = then.get(main.currency)
    others = ", ".join(money.text for money in amounts[1:])
    if before is None or not before.minor:
        return Figure(label, main.text, others or _("None yesterday at this time"))
    percent = 100 * (main.minor - before.minor) / before.minor
    note = _("%(change)s against yesterday at this time") % {"change": f"{percent:+.1f}%"}
    trend = "up" if percent > 0 else "down" if percent < 0 else ""
    return Figure(label, main.text, f"{note} · {others}" if others else note, trend)


def _bar(hour: Hour, highest: int) -> Bar:
    now, then = _height(hour.volume.minor, highest), _height(hour.volume_before.minor, highest)
    left = hour.hour * SLOT
    return Bar(
        hour=hour, x=left + 11, x_before=left + 4, y=round(HEIGHT - now, 2), height=now,
        y_before=round(HEIGHT - then, 2), height_before=then,
    )  # fmt: skip


def _height(minor: int, highest: int) -> float:
    if minor <= 0 or not highest:
        return 0.0
    return max(VISIBLE, round(HEIGHT * minor / highest, 2))


def _rate(one: ChannelDay) -> Rate:
    note = _("%(paid)d of %(ended)d; yesterday at this time %(before)s") % {
        "paid": one.paid, "ended": one.ended, "before": percent_text(one.percent_before),
    }  # fmt: skip
    return Rate(one, f"{one.percent or 0:.1f}", percent_text(one.percent), note)


def _summary(day: Today, until: str) -> str:
    top = max(day.hours, key=lambda one: one.volume.minor)
    if not top.volume.minor:
        return _("Nothing was paid today until %(until)s.") % {"until": until}
    return _("Most was paid from %(hour)d to %(next)d o'clock: %(volume)s.") % {
        "hour": top.hour, "next": top.hour + 1 if top.hour < HOURS - 1 else 24,
        "volume": top.volume,
    }  # fmt: skip
