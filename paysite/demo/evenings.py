"""Lets the sandbox gateways know what the history says they did, so that their bills agree with our
books but for one line, and begins the last week's reconciliations.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from payments.acquiring.models import Attempt, Refund
from payments.acquiring.states import AttemptState, RefundState
from payments.channels.bills import BEIJING
from payments.channels.models import Channel
from payments.channels.registry import line
from payments.channels.sandbox import bills
from payments.channels.sandbox.models import OrderState, SandboxOrder, SandboxRefund
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.run import begin

DAYS: Final = 7
MARGIN: Final = timedelta(days=2)
WRONG_DAYS_AGO: Final = 2
"""The day on which a gateway's bill has a line that we know nothing of."""


def begin_evenings(*, now: datetime) -> int:
    """Called once, after the history is made; says how many days were begun.

    The worker fetches the bills as soon as the platform runs.
    """
    since = now - timedelta(days=DAYS) - MARGIN
    orders = {order.number: order for order in _orders(since)}
    SandboxOrder.objects.bulk_create(orders.values())
    SandboxRefund.objects.bulk_create(_refunds(orders, since))
    channels = list(Channel.objects.filter(livemode=False).order_by("pk"))
    today = now.astimezone(BEIJING).date()
    wrong = dict.fromkeys(bills.ERRORS, 0) | {"extra": 1}
    bills.plant(
        channels[0].gateway, today - timedelta(days=WRONG_DAYS_AGO), counts=wrong, is_late=False
    )
    begun = 0
    for channel in channels:
        for days_ago in range(1, DAYS + 1):
            try:
                begin(channel, today - timedelta(days=days_ago), at=now)
            except ReconciliationRefused:
                continue
            begun += 1
    return begun


def _orders(since: datetime) -> Iterator[SandboxOrder]:
    paid = Attempt.objects.select_related("payment", "channel").filter(
        state__in=[AttemptState.SUCCEEDED, AttemptState.LATE], ended_at__gte=since
    )
    for attempt in paid:
        connected = line(attempt.channel.code)
        paid_at = attempt.payment.paid_at or attempt.ended_at
        yield SandboxOrder(
            gateway=attempt.channel.gateway, merchant=connected.gateway.merchant_number,
            number=attempt.number, gateway_number=attempt.gateway_number[:21],
            reference=attempt.payment.public_id, product=attempt.product,
            amount_minor=attempt.amount_minor, currency=attempt.currency,
            subject=attempt.payment.subject, state=OrderState.PAID, notify_url="",
            token=secrets.token_urlsafe(24), paid_minor=attempt.amount_minor,
            created_at=attempt.created_at, seen_at=attempt.created_at,
            expires_at=attempt.expires_at, paid_at=paid_at,
            fields={"txnTime": "", "bizType": "000201"},
        )  # fmt: skip


def _refunds(orders: dict[str, SandboxOrder], since: datetime) -> Iterator[SandboxRefund]:
    made = Refund.objects.select_related("attempt").filter(
        state=RefundState.SUCCEEDED, ended_at__gte=since, attempt__number__in=orders
    )
    for refund in made:
        yield SandboxRefund(
            order=orders[refund.attempt.number], number=refund.number,
            gateway_number=f"5{secrets.randbelow(10**20):020d}",
            amount_minor=refund.amount_minor, created_at=refund.ended_at or refund.created_at,
            fields={"txnTime": ""},
        )  # fmt: skip
