"""Keys, times and messages that the stories about WeChat Pay share."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from django.utils import timezone

from payments.channels.base import (
    Connection,
    Done,
    Order,
    OrderKey,
    Outcome,
    RawMessage,
    RefundAsk,
    Trade,
    TradeState,
)
from payments.channels.http import GatewayHttp
from payments.channels.sandbox import orders
from payments.channels.sandbox.models import SandboxOrder
from payments.channels.sandbox.speaker import Letter
from payments.channels.sandbox.wechatpay import SPEAKER, wire
from payments.channels.sandbox.wechatpay.wire import KeyMode
from payments.channels.wechatpay import WeChatPay
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.money import Money

NOW: Final = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
BASE: Final = "https://api.mch.weixin.qq.com"
BASE_URL: Final = "http://sandbox.test/sandbox/wechatpay"
Keys = Mapping[str, str]


def credentials(keys: Keys) -> dict[str, str]:
    """What a merchant holds who may meet both kinds of platform key."""
    names = (
        "mchid", "appid", "merchant_serial", "merchant_private_key", "apiv3_key",
        "platform_public_key_id", "platform_public_key",
    )  # fmt: skip
    return {name: keys[name] for name in names} | {"platform_certificate": keys["certificate"]}


def connect(
    given: Mapping[str, str],
    transport: httpx.BaseTransport | None = None,
    *,
    base_url: str = BASE,
    clock: Callable[[], datetime] = lambda: NOW,
) -> WeChatPayGateway:
    """A gateway with these credentials, a given clock and a given network."""
    connection = Connection(code="wechat", base_url=base_url, front_url=base_url, credentials=given)
    return WeChatPay(clock=clock).connect(connection, GatewayHttp(transport))


def order(product: str = "native", **changes: Any) -> Order:
    """Lin's order of 88.80 yuan, open for half an hour."""
    at = changes.pop("created_at", NOW)
    told: dict[str, Any] = {
        "number": "20261123LIN0001",
        "product": product,
        "amount": Money(8880),
        "subject": "明前龙井 50g",
        "reference": "pay_01jd0000000000000000000001",
        "created_at": at,
        "expires_at": at + timedelta(minutes=30),
        "notify_url": "https://pay.example.cn/notify/wechat/",
        "return_url": "https://shop.example.cn/done?order=7&from=pay",
        "client_ip": "203.0.113.7",
    }
    return Order(**(told | changes))


def key_of(asked: Order) -> OrderKey:
    """The order, as later questions name it."""
    return OrderKey(
        number=asked.number,
        product=asked.product,
        created_at=asked.created_at,
        expires_at=asked.expires_at,
    )


def refund_of(asked: Order, fen: int, number: str = "RF20261123LIN01") -> RefundAsk:
    """Give back some of it."""
    return RefundAsk(
        number=number,
        order=key_of(asked),
        paid=asked.amount,
        amount=Money(fen),
        reason="少发了一罐",
        created_at=asked.created_at,
        notify_url=asked.notify_url,
    )


def trade(keys: Keys, **changes: Any) -> dict[str, Any]:
    """A paid order as WeChat Pay tells of it; the payer used a coupon of one yuan."""
    told: dict[str, Any] = {
        "mchid": keys["mchid"],
        "appid": keys["appid"],
        "out_trade_no": "20261123LIN0001",
        "transaction_id": "4200002611230400000000000001",
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "success_time": "2026-11-23T11:59:58+08:00",
        "amount": {
            "total": 8880, "payer_total": 8780, "currency": "CNY", "payer_currency": "CNY",
        },
        "member_added_next_year": {"a": [1, None]},
    }  # fmt: skip
    return {name: value for name, value in (told | changes).items() if value is not None}


def refund_notice(keys: Keys, state: str = "SUCCESS") -> dict[str, Any]:
    """The inside of a refund's notification."""
    told = {
        "mchid": keys["mchid"],
        "out_trade_no": "20261123LIN0001",
        "transaction_id": "4200002611230400000000000001",
        "out_refund_no": "RF20261123LIN01",
        "refund_id": "5030002611230400000000000001",
        "refund_status": state,
        "amount": {"total": 8880, "refund": 880, "payer_total": 8780, "payer_refund": 870},
    }
    return told | ({"success_time": "2026-11-23T12:00:00+08:00"} if state == "SUCCESS" else {})


def message(
    keys: Keys,
    inside: Mapping[str, Any],
    *,
    event: str = "TRANSACTION.SUCCESS",
    mode: KeyMode = KeyMode.PUBLIC_KEY,
    at: datetime = NOW,
    key: str = "EV-20261123-0001",
    associated: str = "transaction",
) -> RawMessage:
    """A notification signed at a time and received NOW."""
    body = wire.to_bytes({
        "id": key,
        "create_time": "2026-11-23T12:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event,
        "resource": wire.sealed(keys, wire.to_bytes(inside), associated),
    })  # fmt: skip
    return RawMessage(headers=lower(keys, mode, body, at), body=body, received_at=NOW)


def lower(keys: Keys, mode: KeyMode, body: bytes, at: datetime) -> dict[str, str]:
    """Signature headers with lower-case names."""
    signed = wire.signature_headers(keys, mode, body, at)
    return {name.lower(): value for name, value in signed.items()}


def answer(
    keys: Keys,
    status: int,
    members: Mapping[str, Any] | None,
    *,
    at: datetime = NOW,
    mode: KeyMode = KeyMode.PUBLIC_KEY,
) -> httpx.Response:
    """An answer of WeChat Pay's, signed."""
    body = b"" if members is None else wire.to_bytes(members)
    return httpx.Response(
        status, content=body, headers=wire.signature_headers(keys, mode, body, at)
    )


@dataclass
class Script:
    """A network that gives prepared answers in turn and remembers what it was asked."""

    answers: list[httpx.Response | Exception]
    asked: list[httpx.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        """For GatewayHttp."""
        return httpx.MockTransport(self._answer)

    def bodies(self) -> list[Any]:
        """The JSON of every request that had a body."""
        return [json.loads(request.content) for request in self.asked if request.content]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def asked(product: str = "native", **changes: Any) -> Order:
    """Lin's order, made now."""
    return order(product, created_at=timezone.now(), **changes)


def pay(order: Order, *, fen: int | None = None) -> SandboxOrder:
    """The customer pays in the wallet."""
    known = SandboxOrder.objects.get(number=order.number)
    return orders.pay(known.pk, SPEAKER, at=timezone.now(), amount_minor=fen)


def state(outcome: Outcome[Trade]) -> TradeState:
    """Where a known order stands."""
    assert isinstance(outcome, Done)
    return outcome.value.state


def raw(letter: Letter, at: datetime) -> RawMessage:
    """A letter as it comes in."""
    headers = {name.lower(): value for name, value in letter.headers.items()}
    return RawMessage(headers=headers, body=letter.body, received_at=at)
