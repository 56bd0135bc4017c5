"""Customers who keep coming while things break, and what must be true when they have gone."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import httpx

from tests.journeys.running import Platform, eventually
from tests.journeys.shop import Receiver, Shop, heal

METHODS: Final = ("alipay", "wechatpay", "unionpay_qr")
CUSTOMERS: Final = 3
PAUSE_SECONDS: Final = 0.15
PATIENCE_SECONDS: Final = 40.0
PAID_AT_GATEWAY: Final = """
SELECT o.reference, count(*), sum(o.paid_minor) - coalesce(sum(r.back), 0)
  FROM sandbox_sandboxorder o LEFT JOIN (
       SELECT order_id, sum(amount_minor) AS back FROM sandbox_sandboxrefund GROUP BY 1
  ) r ON r.order_id = o.id
 WHERE o.state = 'paid' GROUP BY 1
"""
"""The gateways' truth: how often each payment was paid, and how much of it they still hold."""


@dataclass
class Trickle:
    """A few customers at a time: each orders tea, picks a method and pays it.

    Like people, they try again while nobody answers, and they give up after a while.
    """

    platform: Platform
    receiver: Receiver
    stop: threading.Event = field(default_factory=threading.Event)
    ordered: list[str] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)
    """Payments of which a wallet said that they are paid."""
    troubles: list[str] = field(default_factory=list)

    def come(self, number: int) -> None:
        """Customers, one after another."""
        key = self.platform.demo["merchant"]["api_key"]
        headers = {"Authorization": f"Bearer {key}"}
        methods = itertools.islice(itertools.cycle(METHODS), number, None)
        with httpx.Client(
            base_url=self.platform.url, headers=headers, timeout=20, trust_env=False
        ) as client:
            shop = Shop(self.platform, self.receiver, client)
            while not self.stop.wait(PAUSE_SECONDS):
                self.buy(shop, next(methods))

    def buy(self, shop: Shop, method: str) -> None:
        """One order. What goes wrong is tried again with the same number."""
        order = f"F{time.time_ns()}"
        payment = patiently(lambda: shop.create(merchant_order_no=order))
        if payment is None:
            self.troubles.append(f"{order} could not be created")
            return
        self.ordered.append(payment["id"])
        if patiently(lambda: self.pay(shop, payment, method)) is None:
            self.troubles.append(f"{payment['id']} could not be paid by {method}")
            return
        self.paid.append(payment["id"])

    def pay(self, shop: Shop, payment: dict[str, Any], method: str) -> bool:
        """Choose and pay. A wallet that says "paid already" has been paid by an earlier try."""
        shown = shop.choose(payment, method)
        assert shown.status_code in {HTTPStatus.OK, HTTPStatus.SEE_OTHER}
        gateway = method.partition("_")[0]
        answer = shop.control(gateway, "pay", payment=payment["id"])
        assert answer.status_code in {HTTPStatus.OK, HTTPStatus.CONFLICT}
        assert answer.json().get("error", "") in {"", "already_paid"}
        return True


def patiently(act: Any) -> Any:
    """Try until it works; None when nobody answered for too long."""

    def once() -> Any:
        with suppress(httpx.HTTPError, AssertionError, ValueError):
            return act()
        return None

    return eventually(once, seconds=PATIENCE_SECONDS, every=0.3)


@contextmanager
def customers(platform: Platform, receiver: Receiver) -> Any:
    """Customers come until the block is left; then the last ones finish."""
    heal(platform)
    trickle = Trickle(platform, receiver)
    with ThreadPoolExecutor(CUSTOMERS) as pool:
        coming = [pool.submit(trickle.come, number) for number in range(CUSTOMERS)]
        try:
            yield trickle
        finally:
            trickle.stop.set()
    for each in coming:
        each.result()
