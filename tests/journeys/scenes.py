"""An order for every state that the checkout can show, made on the platform without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.journeys.browsing import IPHONE
from tests.journeys.running import eventually
from tests.journeys.shop import Shop


@contextmanager
def every_scene(shop: Shop) -> Iterator[dict[str, str]]:
    """Addresses of the checkout by scene.

    UnionPay is down while they stand: what was left unknown stays unknown.
    """
    addresses = {name: make(shop)["checkout_url"] for name, make in MAKERS.items()}
    addresses["forged"] = f"{shop.platform.url}/pay/{'0' * 40}/"
    shop.control("unionpay", "down")
    try:
        unknown = shop.create()
        shop.choose(unknown, "unionpay_qr")
        yield addresses | {"unknown": unknown["checkout_url"]}
    finally:
        shop.control("unionpay", "up")


def new(shop: Shop) -> dict[str, Any]:
    """Nothing chosen yet."""
    return shop.create(description="Two tins, gift-wrapped. " * 6)


def with_code(shop: Shop) -> dict[str, Any]:
    """A QR code is shown."""
    payment = shop.create()
    shop.choose(payment, "wechatpay")
    return payment


def stale(shop: Shop) -> dict[str, Any]:
    """The code is too old."""
    payment = with_code(shop)
    shop.let_code_run_out(payment["id"])
    return payment


def with_form(shop: Shop) -> dict[str, Any]:
    """The customer goes on to UnionPay by a form."""
    payment = shop.create()
    shop.choose(payment, "unionpay")
    return payment


def with_link(shop: Shop) -> dict[str, Any]:
    """The customer goes on to WeChat by a link, and has been there."""
    payment = shop.create()
    shop.choose(payment, "wechatpay", **{"User-Agent": IPHONE})
    return {**payment, "checkout_url": f"{payment['checkout_url']}?back=1"}


def failed(shop: Shop) -> dict[str, Any]:
    """The gateway has refused."""
    payment = shop.create()
    shop.control("alipay", "next", fault="refuse")
    shop.choose(payment, "alipay")
    return payment


def paid(shop: Shop) -> dict[str, Any]:
    """Paid."""
    payment = with_code(shop)
    shop.control("wechatpay", "pay", payment=payment["id"])
    shop.receiver.wait_for(payment["id"], "payment.paid")
    return payment


def expired(shop: Shop) -> dict[str, Any]:
    """Nobody paid in time."""
    payment = shop.create()
    shop.expire(payment["id"])
    return payment


def closed(shop: Shop) -> dict[str, Any]:
    """The shop has closed it."""
    payment = shop.create()
    shop.close(payment["id"])
    return payment


def late(shop: Shop) -> dict[str, Any]:
    """Paid when it was closed."""
    payment = shop.create()
    shop.choose(payment, "alipay")
    shop.close(payment["id"])
    shop.control("alipay", "pay", payment=payment["id"])
    assert eventually(lambda: 'class="result late"' in shop.api.get(payment["checkout_url"]).text)
    return payment


MAKERS = {
    "choose": new, "failed": failed, "qr": with_code, "stale": stale, "form": with_form,
    "link": with_link, "paid": paid, "expired": expired, "closed": closed, "late": late,
}  # fmt: skip
