"""What can happen to an order inside a gateway, by the rules that the real ones share."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Sum

from payments.channels.sandbox.models import (
    OrderState,
    SandboxMessage,
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.speaker import Speaker
from payments.money import Money


class GatewayRefusal(Exception):
    """A gateway's rule said no. Each speaker translates the class into its own code."""


class OrderUnknown(GatewayRefusal):
    """No such order at this gateway for this merchant."""


class NumberReused(GatewayRefusal):
    """The merchant's number is taken by an order with other content."""


class OrderPaid(GatewayRefusal):
    """The order is paid already."""


class OrderClosed(GatewayRefusal):
    """The order is closed, or the time for paying it is over."""


class OrderNotPaid(GatewayRefusal):
    """Only a paid order can be refunded."""


class RefundTooLarge(GatewayRefusal):
    """The refunds of an order may not exceed what was paid."""


class RefundReused(GatewayRefusal):
    """The refund's number is taken by a refund of another amount."""


class RefundUnknown(GatewayRefusal):
    """No such refund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAsk:
    """An order as a merchant's request describes it."""

    gateway: str
    merchant: str
    number: str
    gateway_number: str
    """The number the order gets if it is new, in the gateway's own shape."""
    product: str
    amount: Money
    subject: str
    notify_url: str
    return_url: str = ""
    reference: str = ""
    expires_at: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


_CONTENT: Final = ("product", "amount_minor", "currency", "subject")


def place(ask: OrderAsk, *, at: datetime) -> SandboxOrder:
    """Register an order; the same number with the same content gives the order there is.

    Raises NumberReused, OrderPaid, OrderClosed.
    """
    content = {
        "product": ask.product,
        "amount_minor": ask.amount.minor,
        "currency": ask.amount.currency,
        "subject": ask.subject,
    }
    order, is_new = SandboxOrder.objects.get_or_create(
        gateway=ask.gateway,
        merchant=ask.merchant,
        number=ask.number,
        defaults={
            **content,
            "gateway_number": ask.gateway_number,
            "reference": ask.reference,
            "notify_url": ask.notify_url,
            "return_url": ask.return_url,
            "fields": dict(ask.fields),
            "token": secrets.token_urlsafe(24),
            "created_at": at,
            "expires_at": ask.expires_at,
        },
    )
    if is_new:
        return order
    if any(getattr(order, name) != content[name] for name in _CONTENT):
        raise NumberReused
    if order.state == OrderState.PAID:
        raise OrderPaid
    if order.state == OrderState.CLOSED or order.has_lapsed(at):
        raise OrderClosed
    return order


def find(
    gateway: str, merchant: str, *, number: str = "", gateway_number: str = ""
) -> SandboxOrder:
    """The merchant's order by the gateway's number (which wins) or by the merchant's own.

    Raises OrderUnknown.
    """
    by = {"gateway_number": gateway_number} if gateway_number else {"number": number}
    order = SandboxOrder.objects.filter(gateway=gateway, merchant=merchant, **by).first()
    if order is None:
        raise OrderUnknown
    return order


@transaction.atomic
def see(order_id: int, *, at: datetime) -> SandboxOrder:
    """A customer opened the wallet on this order."""
    order = _locked(order_id)
    if order.seen_at is None:
        order.seen_at = at
        order.save(update_fields=["seen_at"])
    return order


@transaction.atomic
def pay(
    order_id: int, speaker: Speaker, *, at: datetime, amount_minor: int | None = None
) -> SandboxOrder:
    """The customer pays; the notification is due as soon as this commits.

    `amount_minor` makes the gateway say that another amount was paid. Raises OrderPaid,
    OrderClosed.
    """
    order = _locked(order_id)
    if order.state == OrderState.PAID:
        raise OrderPaid
    if order.state == OrderState.CLOSED or order.has_lapsed(at):
        raise OrderClosed
    order.state = OrderState.PAID
    order.paid_at = at
    order.seen_at = order.seen_at or at
    order.paid_minor = order.amount_minor if amount_minor is None else amount_minor
    order.save(update_fields=["state", "paid_at", "seen_at", "paid_minor"])
    announce(order, speaker, at=at)
    return order


@transaction.atomic
def close(order_id: int, *, at: datetime) -> SandboxOrder:
    """Make an order unpayable. Closing it again changes nothing. Raises OrderPaid."""
    order = _locked(order_id)
    if order.state == OrderState.PAID:
        raise OrderPaid
    if order.state == OrderState.WAITING:
        order.state, order.closed_at = OrderState.CLOSED, at
        order.save(update_fields=["state", "closed_at"])
    return order


@transaction.atomic
def refund(
    order_id: int,
    *,
    number: str,
    gateway_number: str,
    amount: Money,
    at: datetime,
    notify_url: str = "",
    fields: Mapping[str, Any] | None = None,
) -> tuple[SandboxRefund, bool]:
    """Give money back once per number; the flag says whether this call did it.

    Raises RefundReused, OrderNotPaid, RefundTooLarge. The caller decides whether to `announce`.
    """
    order = _locked(order_id)
    earlier = order.refunds.filter(number=number).first()
    if earlier is not None:
        if earlier.amount != amount:
            raise RefundReused
        return earlier, False
    if order.state != OrderState.PAID:
        raise OrderNotPaid
    if amount.minor <= 0 or refunded(order) + amount > order.paid:
        raise RefundTooLarge
    made = order.refunds.create(
        number=number,
        gateway_number=gateway_number,
        amount_minor=amount.minor,
        notify_url=notify_url,
        fields=dict(fields or {}),
        created_at=at,
    )
    return made, True


def find_refund(order: SandboxOrder, number: str) -> SandboxRefund:
    """The order's refund with the merchant's number. Raises RefundUnknown."""
    found = order.refunds.filter(number=number).first()
    if found is None:
        raise RefundUnknown
    return found


def refunded(order: SandboxOrder) -> Money:
    """What went back so far."""
    total = order.refunds.filter(state="succeeded").aggregate(sum=Sum("amount_minor"))["sum"]
    return Money(int(total or 0), order.currency)


def announce(
    order: SandboxOrder,
    speaker: Speaker,
    *,
    at: datetime,
    of: SandboxRefund | None = None,
) -> SandboxMessage:
    """Queue the notification that the order is paid, or that a refund of it is done."""
    return SandboxMessage.objects.create(
        gateway=order.gateway,
        order=order,
        refund=of,
        notice_id=new_digits(at, 32),
        url=(of.notify_url if of else "") or order.notify_url,
        tries_max=len(speaker.retry_gaps) + 1,
        due_at=at,
    )


def new_digits(at: datetime, length: int) -> str:
    """A fresh number in the shape gateways like: the time, then random digits."""
    head = at.strftime("%Y%m%d%H%M%S")
    return head + "".join(secrets.choice("0123456789") for _ in range(length - len(head)))


def _locked(order_id: int) -> SandboxOrder:
    return SandboxOrder.objects.select_for_update().get(pk=order_id)
