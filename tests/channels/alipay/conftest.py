"""An Alipay channel, connected to the sandbox's Alipay."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payments.channels.alipay import Alipay
from payments.channels.alipay.gateway import AlipayGateway
from payments.channels.base import Connection, Order, OrderKey, RawMessage, RefundAsk
from payments.channels.http import GatewayHttp
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.keys import credentials_for
from payments.channels.sandbox.speakers import SPEAKERS
from payments.money import Money
from tests.channels.conftest import BASE_URL

NOTIFY_URL = "http://platform.test/notify/alipay/"


@pytest.fixture
def keys(db: None) -> dict[str, str]:
    """What the sandbox's Alipay and its merchant hold."""
    return dict(keys_of(SPEAKERS["alipay"]))


@pytest.fixture
def connection(keys: dict[str, str]) -> Connection:
    """The channel's configuration as an operator would type it."""
    return Connection(
        code="alipay",
        base_url=f"{BASE_URL}/sandbox/alipay",
        front_url=f"{BASE_URL}/sandbox/alipay",
        credentials=credentials_for("alipay"),
    )


@pytest.fixture
def alipay(connection: Connection, gateway_http: GatewayHttp) -> AlipayGateway:
    """The dialect under test, talking to the sandbox."""
    return Alipay().connect(connection, gateway_http)


@pytest.fixture
def order() -> Callable[..., Order]:
    """A maker of orders; say only what matters."""

    def make(**differently: Any) -> Order:
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "number": "att01",
            "product": "precreate",
            "amount": Money(8880),
            "subject": "Two kites & a \U0001f409 = 风筝/龙",
            "reference": "pay_01",
            "created_at": now,
            "expires_at": now + timedelta(minutes=30),
            "notify_url": NOTIFY_URL,
            "return_url": "http://platform.test/pay/token/",
            "client_ip": "203.0.113.9",
        }
        return Order(**{**values, **differently})

    return make


def key_of(order: Order) -> OrderKey:
    """How to ask about the order later."""
    return OrderKey(
        number=order.number,
        product=order.product,
        created_at=order.created_at,
        expires_at=order.expires_at,
    )


def ask_for(order: Order, minor: int, *, number: str = "ref01") -> RefundAsk:
    """A refund of a part of the order."""
    return RefundAsk(
        number=number,
        order=key_of(order),
        paid=order.amount,
        amount=Money(minor),
        reason="too small",
        created_at=order.created_at,
        notify_url=NOTIFY_URL,
    )


def message(body: bytes) -> RawMessage:
    """A notification as it comes in."""
    return RawMessage(headers={}, body=body, received_at=datetime.now(UTC))
