"""What the gateways put into a day's bill: everything that happened, and errors on request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

from payments.channels.sandbox.models import GatewayName, SandboxBill, SandboxOrder, SandboxRefund
from payments.channels.sandbox.orders import new_digits

CHINA: Final = timezone(timedelta(hours=8))
RATE_PPM: Final = 6000
"""What the gateways keep of each payment, in millionths: 0.6 %."""
RETURNS_FEE: Final = frozenset({GatewayName.WECHATPAY.value})
"""Who gives the fee back with a refund."""
ERRORS: Final = ("missing", "amount", "fee", "extra")
WRONG_BY: Final = 100
"""Fen by which a planted amount or fee is wrong."""
EXTRA_MINOR: Final = 8800


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One payment or refund as the gateway bills it. Amounts are positive, in fen."""

    is_refund: bool
    number: str
    gateway_number: str
    order: str
    order_gateway_number: str
    order_minor: int
    amount_minor: int
    fee_minor: int
    """What the gateway keeps; negative, it gives back."""
    subject: str
    at: datetime


def fee_of(minor: int) -> int:
    """Half a fen and more is a fen."""
    return (minor * RATE_PPM + 500_000) // 1_000_000


def span(gateway: str, day: date) -> tuple[datetime, datetime]:
    """The gateway's day. UnionPay's ends at 23:00."""
    midnight = datetime.combine(day, time.min, CHINA)
    start = midnight - timedelta(hours=1) if gateway == GatewayName.UNIONPAY else midnight
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


def happened(gateway: str, day: date) -> list[Deed]:
    """The truth about a day, in the order of its happening."""
    start, end = span(gateway, day)
    orders = SandboxOrder.objects.filter(
        gateway=gateway, paid_at__gte=start, paid_at__lt=end
    ).order_by("paid_at", "pk")
    refunds = (
        SandboxRefund.objects.select_related("order")
        .filter(order__gateway=gateway, created_at__gte=start, created_at__lt=end)
        .filter(state="succeeded")
        .order_by("created_at", "pk")
    )
    found = [*map(_payment, orders), *map(_refund, refunds)]
    return sorted(found, key=lambda deed: deed.at)


def published(gateway: str, day: date, *, at: datetime) -> list[Deed] | None:
    """What the bill of the day says. None: there is none, because the day is not over, nothing
    happened, or it is late.
    """
    bill = SandboxBill.objects.filter(gateway=gateway, day=day).first()
    is_out = not bill.is_late if bill else day < at.astimezone(CHINA).date()
    if not is_out:
        return None
    lines = _with_errors(happened(gateway, day), bill.planted if bill else {}, gateway, day)
    return lines or None


def plant(
    gateway: str, day: date, *, counts: Mapping[str, int], is_late: bool
) -> Mapping[str, list[str]]:
    """Have the day's bill made, late or with errors; the numbers of what is wrong, by kind.

    Each line is wrong in one way only, so there may be fewer errors than were asked for.
    """
    rest = [deed.number for deed in happened(gateway, day)]
    planted: dict[str, list[str]] = {}
    for kind in ("missing", "amount", "fee"):
        planted[kind], rest = rest[: counts[kind]], rest[counts[kind] :]
    start, _end = span(gateway, day)
    planted["extra"] = [new_digits(start, 24) for _ in range(counts["extra"])]
    SandboxBill.objects.update_or_create(
        gateway=gateway, day=day, defaults={"planted": planted, "is_late": is_late}
    )
    return planted


def _with_errors(
    deeds: list[Deed], planted: Mapping[str, Any], gateway: str, day: date
) -> list[Deed]:
    wrong = {kind: set(planted.get(kind, ())) for kind in ERRORS}
    lines = []
    for deed in deeds:
        if deed.number in wrong["missing"]:
            continue
        amount = deed.amount_minor + WRONG_BY * (deed.number in wrong["amount"])
        fee = deed.fee_minor + WRONG_BY * (deed.number in wrong["fee"])
        lines.append(replace(deed, amount_minor=amount, fee_minor=fee))
    noon = span(gateway, day)[0] + timedelta(hours=12)
    return lines + [_extra(number, noon) for number in planted.get("extra", ())]


def _extra(number: str, at: datetime) -> Deed:
    return Deed(
        is_refund=False, number=number, gateway_number=f"9{number[-20:]}", order=number,
        order_gateway_number=f"9{number[-20:]}", order_minor=EXTRA_MINOR,
        amount_minor=EXTRA_MINOR, fee_minor=fee_of(EXTRA_MINOR), subject="?", at=at,
    )  # fmt: skip


def _payment(order: SandboxOrder) -> Deed:
    paid = order.paid.minor
    return Deed(
        is_refund=False, number=order.number, gateway_number=order.gateway_number,
        order=order.number, order_gateway_number=order.gateway_number, order_minor=paid,
        amount_minor=paid, fee_minor=fee_of(paid), subject=order.subject,
        at=order.paid_at or order.created_at,
    )  # fmt: skip


def _refund(refund: SandboxRefund) -> Deed:
    order = refund.order
    returned = fee_of(refund.amount_minor) if order.gateway in RETURNS_FEE else 0
    return Deed(
        is_refund=True, number=refund.number, gateway_number=refund.gateway_number,
        order=order.number, order_gateway_number=order.gateway_number,
        order_minor=order.paid.minor, amount_minor=refund.amount_minor, fee_minor=-returned,
        subject=order.subject, at=refund.created_at,
    )  # fmt: skip
