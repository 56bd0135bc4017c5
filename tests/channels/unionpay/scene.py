"""Keys, times and messages that the stories about UnionPay share."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from payments.channels.base import Connection, Order, OrderKey, RawMessage, RefundAsk
from payments.channels.http import GatewayHttp
from payments.channels.sandbox.unionpay import SPEAKER
from payments.channels.unionpay import UnionPay
from payments.channels.unionpay.gateway import UnionPayGateway
from payments.money import Money

NOW: Final = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
BASE: Final = "https://gateway.95516.com"
NUMBER: Final = "20261123LIN0001"
REFUND_NUMBER: Final = "RF20261123LIN01"
Keys = Mapping[str, str]


def connect(
    keys: Keys,
    transport: httpx.BaseTransport | None = None,
    *,
    base_url: str = BASE,
    clock: Callable[[], datetime] = lambda: NOW,
) -> UnionPayGateway:
    """A gateway with these keys, a given clock and a given network."""
    connection = Connection(
        code="unionpay", base_url=base_url, front_url=base_url,
        credentials=SPEAKER.credentials(keys),
    )  # fmt: skip
    return UnionPay(clock).connect(connection, GatewayHttp(transport))


def order(product: str = "qr", **changes: Any) -> Order:
    """Lin's order of 88.80 yuan, open for half an hour."""
    at = changes.pop("created_at", NOW)
    told: dict[str, Any] = {
        "number": NUMBER,
        "product": product,
        "amount": Money(8880),
        "subject": "明前龙井 50g",
        "reference": "pay_01jd0000000000000000000001",
        "created_at": at,
        "expires_at": at + timedelta(minutes=30),
        "notify_url": "https://pay.example.cn/notify/unionpay/",
        "return_url": "https://pay.example.cn/pay/token/return",
        "client_ip": "203.0.113.7",
    }
    return Order(**(told | changes))


def key_of(asked: Order, gateway_number: str = "") -> OrderKey:
    """The order, as later questions name it."""
    return OrderKey(
        number=asked.number, product=asked.product, created_at=asked.created_at,
        expires_at=asked.expires_at, gateway_number=gateway_number,
    )  # fmt: skip


def refund_of(asked: Order, fen: int, number: str = REFUND_NUMBER, original: str = "") -> RefundAsk:
    """Give back some of it."""
    return RefundAsk(
        number=number, order=key_of(asked, original), paid=asked.amount, amount=Money(fen),
        reason="少发了一罐", created_at=asked.created_at, notify_url=asked.notify_url,
    )  # fmt: skip


def paid(keys: Keys, **changes: str | None) -> dict[str, str]:
    """Everything that UnionPay says of a paid order, unsigned. None drops a field."""
    told: dict[str, str | None] = {
        "accNo": "b3Jkb+Jhcg/==", "accessType": "0", "bizType": "000000", "currencyCode": "156",
        "encoding": "UTF-8", "exchangeRate": "0", "merId": keys["mer_id"], "orderId": NUMBER,
        "queryId": "112611231200000000018", "reqReserved": "pay_01jd0000000000000000000001",
        "respCode": "00", "respMsg": "成功[0000000]", "settleAmt": "8880",
        "settleCurrencyCode": "156", "settleDate": "1123", "signMethod": "01",
        "traceNo": "000001", "traceTime": "1123120007", "txnAmt": "8880", "txnSubType": "01",
        "txnTime": "20261123120000", "txnType": "01", "version": "5.1.0",
        "signPubKeyCert": keys["gateway_certificate"].replace("\n", "\r\n"),
    }  # fmt: skip
    return {name: value for name, value in (told | changes).items() if value is not None}


def refunded(keys: Keys, **changes: str | None) -> dict[str, str]:
    """Everything that UnionPay says of a refund."""
    told: dict[str, str | None] = {
        "txnType": "04", "txnSubType": "00", "orderId": REFUND_NUMBER, "txnAmt": "880",
        "origQryId": "112611231200000000018", "queryId": "112611231230000000020",
        "accNo": None, "reqReserved": None, "settleAmt": None, "settleCurrencyCode": None,
        "currencyCode": None,
    }  # fmt: skip
    return paid(keys, **(told | changes))


@cache
def parsed(pem: str) -> RSAPrivateKey:
    """Parsing takes longer than most stories."""
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def sealed(fields: Mapping[str, str], keys: Keys) -> dict[str, str]:
    """Sign by the published rules, step by step."""
    lines = [f"{name}={fields[name]}" for name in sorted(fields)]
    hexadecimal = hashlib.sha256("&".join(lines).encode()).hexdigest()
    key = parsed(keys["gateway_private_key"])
    signature = key.sign(hexadecimal.encode(), padding.PKCS1v15(), SHA256())
    return {**fields, "signature": base64.b64encode(signature).decode()}


def message(fields: Mapping[str, str], at: datetime = NOW) -> RawMessage:
    """A notification as it arrives."""
    return RawMessage(
        headers={"content-type": "application/x-www-form-urlencoded;charset=UTF-8"},
        body=urlencode(fields).encode(),
        received_at=at,
    )


def answer(fields: Mapping[str, str], status: int = 200) -> httpx.Response:
    """A synchronous answer: raw values."""
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    return httpx.Response(status, content=body.encode())


@dataclass
class Script:
    """A network that gives prepared answers in turn and remembers what it was asked."""

    answers: list[httpx.Response | Exception]
    asked: list[httpx.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        """For GatewayHttp."""
        return httpx.MockTransport(self._answer)

    def forms(self) -> list[dict[str, str]]:
        """What every request said."""
        return [dict(parse_qsl(request.content.decode())) for request in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given


def talk(
    keys: Keys, *answers: httpx.Response | Exception, at: datetime = NOW
) -> tuple[UnionPayGateway, Script]:
    """A gateway that will get these answers."""
    script = Script(list(answers))
    return connect(keys, script.transport, clock=lambda: at), script
