"""A town for three days: shops, customers, and three gateways that fail, lose and repeat things.

Everything goes the way that it goes in earnest: signed calls, encrypted notifications, workers, and
the gateways' bills in the mornings. One seed makes it the same town each time.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from django.db import connection
from django.test import Client

from payments.acquiring.asking import RefundWish
from payments.acquiring.facts import PaymentFacts
from payments.acquiring.models import Attempt, Payment
from payments.acquiring.pay import close_payment
from payments.acquiring.presenting import from_row
from payments.acquiring.refunding import request_refund
from payments.acquiring.tasks import (
    ask_about_open_attempts,
    expire_payments,
    give_up_unreleased_refunds,
    send_due_refunds,
)
from payments.channels.base import FormPost, Redirect
from payments.channels.bills import BEIJING
from payments.channels.sandbox import bills, faults, notifier, orders
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder
from payments.channels.sandbox.notifier import Tamper
from payments.channels.sandbox.speakers import SPEAKERS
from payments.errors import Refusal
from payments.money import Money
from payments.reconciliation.tasks import begin_reconciliations, go_on_reconciling
from tests.cast import Shop, choose, order
from tests.channels.conftest import SandboxTransport, same_connection

START: Final = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
"""Midnight in Beijing."""
DAYS: Final = [date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)]
GATEWAYS: Final = ("alipay", "unionpay", "wechatpay")
TURN: Final = timedelta(minutes=15)
REST: Final = timedelta(days=2)
ERRORS: Final = {"missing": 2, "amount": 2, "fee": 1, "extra": 2}
FAULTS: Final = (
    faults.Fault.TIMEOUT_BEFORE, faults.Fault.TIMEOUT_AFTER, faults.Fault.HTTP_500,
    faults.Fault.BAD_SIGNATURE, faults.Fault.SYSTEM_ERROR,
)  # fmt: skip


class LossyPost(httpx.BaseTransport):
    """Carries notifications. Some are lost on the way, of others the acknowledgement is."""

    def __init__(self, rng: random.Random) -> None:
        self._rng, self._inner = rng, SandboxTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        luck = self._rng.random()
        if luck < 0.1:
            raise httpx.ConnectError("lost on the way", request=request)
        answer = self._inner.handle_request(request)
        if luck < 0.15:
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return answer


class OneAtATime:
    """In the place of the notifier's threads, which would not see the story's transaction."""

    def __init__(self, _threads: int) -> None:
        pass

    def __enter__(self) -> "OneAtATime":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, do: Callable[[Any], Any], things: list[Any]) -> Iterator[Any]:
        return map(do, things)


@dataclass
class Town:
    """What happens when, and what is known of it. `clock` is the traveller of the story's time."""

    shops: list[Shop]
    clock: Any
    rng: random.Random
    post: LossyPost
    count: int
    agenda: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    now: datetime = START
    told: Counter[str] = field(default_factory=Counter)
    planted: dict[tuple[str, date], dict[str, list[str]]] = field(default_factory=dict)
    browser: Client = field(default_factory=Client)

    def live(self) -> None:
        """Play everything, then give late things two days to come to rest."""
        span = timedelta(days=len(DAYS)) - timedelta(hours=1)
        for number in range(self.count):
            self.later(span * self.rng.random(), partial(self.customer_comes, number))
        for day in DAYS:
            morning = datetime.combine(day + timedelta(days=1), datetime.min.time(), BEIJING)
            self.at(morning + timedelta(minutes=1), partial(self.gateways_err, day))
        end = START + timedelta(days=len(DAYS)) + REST
        turn = START
        evening = START + timedelta(days=len(DAYS))
        while (turn := turn + (TURN if turn < evening else 4 * TURN)) <= end:
            self.at(turn, self.workers_turn)
            if not turn.minute:
                self.at(turn, self.reconcile)
        while self.agenda:
            self.now, _, happen = heapq.heappop(self.agenda)
            self.clock.move_to(self.now)
            happen()

    def later(self, wait: timedelta, happen: Callable[[], object]) -> None:
        self.at(self.now + wait, happen)

    def at(self, moment: datetime, happen: Callable[[], object]) -> None:
        heapq.heappush(self.agenda, (moment, len(self.agenda) + self.rng.getrandbits(40), happen))

    def seconds(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(least, most))

    def customer_comes(self, number: int) -> None:
        shop = self.rng.choice(self.shops)
        amount = Money(self.rng.choice([990, 2800, 12800, 25600]) + self.rng.randint(0, 99))
        payment = order(shop, f"T{number}", amount=amount, expires_in=1800, at=self.now)
        self.later(self.seconds(3, 40), lambda: self.customer_chooses(payment, shop))
        if self.rng.random() < 0.03:
            self.later(self.seconds(10, 400), lambda: self.shop_closes(payment, shop))

    def customer_chooses(self, payment: PaymentFacts, shop: Shop, *, again: bool = False) -> None:
        gateway = self.rng.choice(GATEWAYS)
        if self.rng.random() < 0.08:
            faults.plan(gateway, self.rng.choice(FAULTS), 1)
            self.told["faults"] += 1
        attempt = None
        with suppress(Refusal):
            attempt = choose(payment, gateway, at=self.now)
        if attempt is None:
            self.told["refused at the checkout"] += 1
        else:
            self.goes_to_the_gateway(attempt)
            if self.rng.random() < 0.88:
                wait = self.seconds(15, 240 if self.rng.random() < 0.97 else 2500)
                self.later(wait, lambda: self.customer_pays(attempt.number, payment, shop))
        if not again and (attempt is None or self.rng.random() < 0.1):
            wait = self.seconds(10, 60)
            self.later(wait, lambda: self.customer_chooses(payment, shop, again=True))

    def goes_to_the_gateway(self, attempt: Attempt) -> None:
        """A form or an address is followed by the browser; only then the gateway knows of it."""
        shown = from_row(attempt.presentation)
        with same_connection():
            match shown:
                case FormPost():
                    self.browser.post(urlsplit(shown.url).path, dict(shown.fields))
                case Redirect():
                    parts = urlsplit(shown.url)
                    self.browser.get(f"{parts.path}?{parts.query}")
                case _:
                    pass

    def customer_pays(self, number: str, payment: PaymentFacts, shop: Shop) -> None:
        placed = SandboxOrder.objects.filter(number=number).first()
        if placed is None:
            return
        try:
            orders.pay(placed.pk, SPEAKERS[placed.gateway], at=self.now)
        except orders.GatewayRefusal:
            self.told["paid too late for the gateway"] += 1
            return
        self.told["paid"] += 1
        if self.rng.random() < 0.05:
            self.somebody_forges(placed)
        if self.rng.random() < 0.12:
            self.later(self.seconds(60, 90_000), lambda: self.shop_refunds(payment, shop))

    def somebody_forges(self, placed: SandboxOrder) -> None:
        tamper = self.rng.choice([Tamper.SIGNATURE, Tamper.AMOUNT, Tamper.OTHER_KEY])
        SandboxMessage.objects.create(
            gateway=placed.gateway, order=placed, notice_id=orders.new_digits(self.now, 32),
            url=placed.notify_url, tamper=tamper, tries_max=1, due_at=self.now,
        )  # fmt: skip
        self.told["forged"] += 1

    def shop_closes(self, payment: PaymentFacts, shop: Shop) -> None:
        with suppress(Refusal):
            close_payment(access=shop.access, payment=payment.id, at=self.now)

    def shop_refunds(self, payment: PaymentFacts, shop: Shop) -> None:
        """A part or all of what is left, and sometimes the same wish twice."""
        row = Payment.objects.get(public_id=payment.id)
        left = row.amount_minor - row.refunded_minor - row.refunding_minor
        if row.state != "paid" or not left:
            return
        minor = left if self.rng.random() < 0.5 else self.rng.randint(1, left)
        wish = RefundWish(merchant_refund_no=f"R-{payment.id[-8:]}-{left}", amount_minor=minor)
        if row.channel is not None and self.rng.random() < 0.2:
            faults.plan(row.channel.code, self.rng.choice(FAULTS), 1)
            self.told["faults"] += 1
        for _ in range(1 + (self.rng.random() < 0.2)):
            request_refund(access=shop.access, payment=payment.id, wish=wish, at=self.now)
        self.told["refunds"] += 1

    def workers_turn(self) -> None:
        while notifier.deliver_due(transport=self.post):
            pass
        ask_about_open_attempts()
        expire_payments()
        send_due_refunds()
        give_up_unreleased_refunds()

    def reconcile(self) -> None:
        if self.now.hour % 4 == 0:
            with connection.cursor() as cursor:
                # Autovacuum does it in earnest; plans made for empty tables read all of them.
                cursor.execute("ANALYZE payments_attempt, payments_payment, payments_notification")
        begin_reconciliations()
        go_on_reconciling()

    def gateways_err(self, day: date) -> None:
        for gateway in GATEWAYS:
            planted = bills.plant(gateway, day, counts=ERRORS, is_late=False)
            self.planted[gateway, day] = {kind: [*numbers] for kind, numbers in planted.items()}
