"""A process of its own that does one thing and is killed at a named step: `CRASH_AT=… python -m
…`.
"""

import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paysite.settings")
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from compliance.audit.actor import SYSTEM  # noqa: E402
from merchants.access import MerchantAccess  # noqa: E402
from merchants.accounts.abilities import SCOPES  # noqa: E402
from merchants.models import Merchant  # noqa: E402
from payments.acquiring.asking import PaymentAsk, RefundWish  # noqa: E402
from payments.acquiring.attempts import choose_method  # noqa: E402
from payments.acquiring.facts import PaymentFacts  # noqa: E402
from payments.acquiring.janitor import claim_to_ask, look_after  # noqa: E402
from payments.acquiring.models import Attempt, Payment  # noqa: E402
from payments.acquiring.pay import create_payment, request_closing  # noqa: E402
from payments.acquiring.refunding import request_refund  # noqa: E402
from payments.acquiring.refunds import claim_due, pursue  # noqa: E402
from payments.acquiring.tokens import checkout_token  # noqa: E402
from payments.callbacks.deliver import deliver_due  # noqa: E402
from payments.channels import registry  # noqa: E402
from payments.channels.base import Device  # noqa: E402
from payments.channels.bills import BEIJING  # noqa: E402
from payments.channels.http import GatewayHttp  # noqa: E402
from payments.channels.models import Channel  # noqa: E402
from payments.channels.sandbox import notifier  # noqa: E402
from payments.money import Money  # noqa: E402
from payments.reconciliation.models import ReconciliationRun  # noqa: E402
from payments.reconciliation.run import begin, claim, work  # noqa: E402


class InProcess(httpx.BaseTransport):
    """Answers with the platform's own views, and leaves no connection behind in a passing
    thread.
    """

    def __init__(self) -> None:
        self._inner = httpx.WSGITransport(app=get_wsgi_application(), remote_addr="127.0.0.1")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._inner.handle_request(request)
            return httpx.Response(
                response.status_code, headers=response.headers, content=response.read()
            )
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()


TRANSPORT: Final = InProcess()


def through_the_sandbox() -> None:
    """Call the sandbox gateways in this very process instead of over a socket."""
    registry.make_http = lambda: GatewayHttp(TRANSPORT)


def merchant_access() -> MerchantAccess:
    """What the only merchant's program may do."""
    merchant = Merchant.objects.get()
    return MerchantAccess(
        merchant_id=merchant.pk, merchant=merchant.public_id, livemode=False,
        abilities=SCOPES, actor=SYSTEM,
    )  # fmt: skip


def ask_back(payment: str) -> None:
    """The merchant's program asks for a part of it back."""
    request_refund(
        access=merchant_access(), payment=payment, at=timezone.now(),
        wish=RefundWish(merchant_refund_no="R1", amount_minor=2800),
    )  # fmt: skip


def create(payment: str) -> PaymentFacts:
    """A second order of the only merchant, with an idempotency key."""
    ask = PaymentAsk(merchant_order_no="T2", amount=Money(100), subject="tea")
    created = create_payment(
        access=merchant_access(), ask=ask, idempotency_key="key-2", at=timezone.now()
    )
    return created.payment


def choose(payment: str, method: str = "alipay") -> None:
    choose_method(
        token=checkout_token(payment), method=method, device=Device.DESKTOP,
        client_ip="203.0.113.9", at=timezone.now(),
    )  # fmt: skip


def close(payment: str) -> None:
    request_closing(payment=payment, actor=SYSTEM, at=timezone.now())


def notify(payment: str) -> None:
    notifier.deliver_due(transport=TRANSPORT)


def ask(payment: str) -> None:
    Attempt.objects.update(ask_at=timezone.now() - timedelta(seconds=1))
    for attempt in claim_to_ask(at=timezone.now(), limit=10):
        look_after(attempt, at=timezone.now())


def refund(payment: str) -> None:
    for due in claim_due(at=timezone.now() + timedelta(seconds=1), limit=10):
        pursue(due, at=timezone.now())


def deliver(payment: str) -> None:
    deliver_due()


def reconcile(payment: str) -> None:
    """The day of the payment, as if it were the day after tomorrow."""
    day = Payment.objects.get(public_id=payment).created_at.astimezone(BEIJING).date()
    later = timezone.now() + timedelta(days=2)
    run = begin(Channel.objects.get(code="alipay"), day, at=later)
    ReconciliationRun.objects.update(leased_until=None)
    work(claim(run, at=later), at=later)


DEEDS: Final[dict[str, Callable[[str], object]]] = {
    "create": create, "choose": choose, "close": close, "notify": notify, "ask": ask,
    "refund": refund, "deliver": deliver, "reconcile": reconcile,
}  # fmt: skip

if __name__ == "__main__":
    through_the_sandbox()
    DEEDS[sys.argv[1]](sys.argv[2])
