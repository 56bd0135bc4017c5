"""A payment as other rooms, faces and merchants see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payments.acquiring.models import Payment
from payments.acquiring.states import PaymentState
from payments.acquiring.tokens import checkout_url
from payments.money import Money
from payments.times import time_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFacts:
    """What the outside may know of a payment."""

    id: str
    livemode: bool
    merchant_order_no: str
    amount: Money
    subject: str
    status: PaymentState
    created_at: datetime
    expires_at: datetime
    amount_refunded: Money
    amount_refunding: Money | None = None
    """In refunds that are under way; None where nobody asked."""
    method: str = ""
    channel: str = ""
    channel_trade_no: str = ""
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    metadata: Mapping[str, Any]

    @property
    def amount_refundable(self) -> Money:
        """What is left to give back."""
        moving = self.amount_refunding or Money(0, self.amount.currency)
        return self.amount - self.amount_refunded - moving


def facts_of(payment: Payment) -> PaymentFacts:
    """Read the facts from a row. The channel should have been selected with it."""
    return PaymentFacts(
        id=payment.public_id,
        livemode=payment.livemode,
        merchant_order_no=payment.merchant_order_no,
        amount=payment.amount,
        subject=payment.subject,
        status=PaymentState(payment.state),
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        amount_refunded=Money(payment.refunded_minor, payment.currency),
        amount_refunding=Money(payment.refunding_minor, payment.currency),
        method=payment.method,
        channel=payment.channel.code if payment.channel else "",
        channel_trade_no=payment.channel_trade_no,
        paid_at=payment.paid_at,
        closed_at=payment.closed_at,
        metadata=payment.metadata,
    )


def document(facts: PaymentFacts) -> dict[str, Any]:
    """The payment object of the REST interface and of callbacks."""
    return {
        "id": facts.id,
        "object": "payment",
        "merchant_order_no": facts.merchant_order_no,
        "amount": facts.amount.minor,
        "currency": facts.amount.currency,
        "subject": facts.subject,
        "status": facts.status.value,
        "amount_refunded": facts.amount_refunded.minor,
        "method": facts.method or None,
        "channel": facts.channel or None,
        "channel_trade_no": facts.channel_trade_no or None,
        "checkout_url": checkout_url(facts.id),
        "created_at": time_text(facts.created_at),
        "expires_at": time_text(facts.expires_at),
        "paid_at": time_text(facts.paid_at) if facts.paid_at else None,
        "closed_at": time_text(facts.closed_at) if facts.closed_at else None,
        "metadata": dict(facts.metadata),
        "livemode": facts.livemode,
    }
