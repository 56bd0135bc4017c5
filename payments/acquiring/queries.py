"""Reads payments for faces. Whatever a merchant can reach takes a MerchantAccess and obeys it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db.models import QuerySet

from compliance.database import prepared
from merchants.access import MerchantAccess, require
from payments.acquiring.facts import PaymentFacts, facts_of
from payments.acquiring.models import Payment
from payments.acquiring.presenting import from_row
from payments.acquiring.states import LIVE, PaymentState
from payments.acquiring.tokens import payment_of
from payments.channels.base import Presentation
from payments.channels.registry import methods
from payments.errors import Refusal
from payments.money import Money
from payments.routing.queries import route


class PaymentUnknown(Refusal):
    """No payment of this merchant and mode has this number. Another merchant's answers the same."""

    code = "payment_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """What a merchant looks for. Empty fields do not narrow."""

    merchant_order_no: str = ""
    status: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page, newest first, and the key to ask for the next with (0: there is none)."""

    payments: Sequence[PaymentFacts]
    next_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodChoice:
    """A method as a customer may pick it. `reason` is a short code when it is not available."""

    code: str
    gateway: str
    label: str
    hint: str
    is_available: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAttempt:
    """The latest attempt as its customer sees it."""

    id: str
    method: str
    gateway: str
    state: str
    presentation: Presentation | None
    expires_at: datetime
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Everything the hosted checkout page shows."""

    payment: str
    token: str
    merchant_name: str
    amount: Money
    subject: str
    description: str
    merchant_order_no: str
    status: str
    is_expired: bool
    is_closing: bool
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    method: str
    channel_trade_no: str
    return_url: str
    methods: tuple[MethodChoice, ...]
    attempt: ShownAttempt | None
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutStatus:
    """What a waiting page needs to know."""

    status: str
    is_expired: bool
    attempt: str
    attempt_state: str


def _of(access: MerchantAccess) -> QuerySet[Payment]:
    return Payment.objects.filter(
        merchant_id=access.merchant_id, livemode=access.livemode
    ).select_related("channel")


def get_payment(access: MerchantAccess, public_id: str) -> PaymentFacts:
    """One payment. Raises PaymentUnknown."""
    require(access, "payments.read")
    return own_payment(access, public_id)


def own_payment(access: MerchantAccess, public_id: str) -> PaymentFacts:
    """One payment, for a verb that has asked for its own ability. Raises PaymentUnknown."""
    payment = _of(access).filter(public_id=public_id).first()
    if payment is None:
        raise PaymentUnknown(payment=public_id)
    return facts_of(payment)


def list_payments(
    access: MerchantAccess, wanted: PaymentFilter, *, before: int, limit: int
) -> Page:
    """A page of payments, newest first, by key and never by offset. `before` 0 starts at the
    top.
    """
    require(access, "payments.read")
    rows = _of(access)
    if wanted.merchant_order_no:
        rows = rows.filter(merchant_order_no=wanted.merchant_order_no)
    if wanted.status:
        rows = rows.filter(state=wanted.status)
    if wanted.created_after:
        rows = rows.filter(created_at__gte=wanted.created_after)
    if wanted.created_before:
        rows = rows.filter(created_at__lt=wanted.created_before)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else 0
    return Page([facts_of(payment) for payment in found[:limit]], more)


_CHECKOUT: Final = """
SELECT p.public_id, m.name, p.amount_minor, p.currency, p.subject, p.description,
       p.merchant_order_no, p.state, p.expires_at, p.close_requested_at IS NOT NULL, p.created_at,
       p.paid_at, p.method, p.channel_trade_no, p.return_url, p.methods, p.livemode,
       m.public_id, t.number, t.method, t.state, t.presentation::text, t.expires_at, t.failure
  FROM payments_payment p
  JOIN merchants_merchant m ON m.id = p.merchant_id
  LEFT JOIN LATERAL (
       SELECT * FROM payments_attempt a WHERE a.payment_id = p.id ORDER BY a.id DESC LIMIT 1
       ) t ON true
 WHERE p.public_id = %s
"""


def find_checkout(*, token: str, at: datetime) -> Checkout:
    """What the checkout page shows, by one prepared statement.

    Raises TokenForged, and PaymentUnknown for a payment that is not there.
    """
    public_id = payment_of(token)
    rows = prepared(_CHECKOUT, [public_id])
    if not rows:
        raise PaymentUnknown(payment=public_id)
    (
        _, merchant, minor, currency, subject, description, order_no, state, expires_at,
        is_closing, created_at, paid_at, method, trade_no, return_url, allowed, livemode,
        shop, *attempt,
    ) = rows[0]  # fmt: skip
    return Checkout(
        payment=public_id,
        token=token,
        merchant_name=merchant,
        amount=Money(minor, currency),
        subject=subject,
        description=description,
        merchant_order_no=order_no,
        status=state,
        is_expired=expires_at <= at,
        is_closing=is_closing,
        created_at=created_at,
        expires_at=expires_at,
        paid_at=paid_at,
        method=method,
        channel_trade_no=trade_no,
        return_url=way_back(return_url, payment=public_id, order_no=order_no, state=state),
        methods=_choices(allowed, livemode=livemode, amount_minor=minor, merchant=shop, at=at),
        attempt=_shown(attempt) if attempt[0] else None,
        livemode=livemode,
    )


def checkout_status(*, token: str, at: datetime) -> CheckoutStatus:
    """Where a payment stands, for a page that waits. Raises TokenForged."""
    public_id = payment_of(token)
    payment = Payment.objects.only("state", "expires_at").filter(public_id=public_id).first()
    if payment is None:
        raise PaymentUnknown(payment=public_id)
    latest = (
        payment.attempts.order_by("-pk").only("number", "state", "payment").first()
        if payment.state != PaymentState.PAID
        else None
    )
    return CheckoutStatus(
        status=payment.state,
        is_expired=payment.expires_at <= at,
        attempt=latest.number if latest else "",
        attempt_state=latest.state if latest else "",
    )


def _choices(
    allowed: Sequence[str], *, livemode: bool, amount_minor: int, merchant: str, at: datetime
) -> tuple[MethodChoice, ...]:
    choices = []
    for code, (dialect, method) in methods().items():
        if allowed and code not in allowed:
            continue
        way = route(
            method=code, livemode=livemode, amount_minor=amount_minor, merchant=merchant, at=at
        )
        choices.append(
            MethodChoice(
                code=code, gateway=dialect.name, label=method.label, hint=method.hint,
                is_available=way.channel is not None, reason=way.reason,
            )
        )  # fmt: skip
    return tuple(choices)


def _shown(attempt: Sequence[Any]) -> ShownAttempt:
    number, method, state, presentation, expires_at, failure = attempt
    is_live = state in LIVE and presentation is not None
    return ShownAttempt(
        id=number,
        method=method,
        gateway=methods()[method][0].name,
        state=state,
        presentation=from_row(json.loads(presentation)) if is_live else None,
        expires_at=expires_at,
        failure=failure,
    )


def way_back(return_url: str, *, payment: str, order_no: str, state: str) -> str:
    """Back to the merchant. What is appended informs the customer's browser and proves nothing."""
    if not return_url:
        return ""
    parts = urlsplit(return_url)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("payment_id", payment),
        ("merchant_order_no", order_no),
        ("status", state),
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))
