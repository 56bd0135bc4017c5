"""An independent client of WeChat Pay's gets on with the sandbox."""

import gzip
import hashlib
import io
import json

import httpx
import pytest
import wechatpayv3.core
from django.conf import LazySettings
from django.utils import timezone
from wechatpayv3 import WeChatPay as OracleClient
from wechatpayv3 import WeChatPayType

from payments.channels.bills import BEIJING
from payments.channels.sandbox import bills, orders
from payments.channels.sandbox.models import (
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.wechatpay.gateway import WeChatPayGateway
from tests.channels.conftest import SandboxTransport
from tests.channels.wechatpay.scene import Keys

pytestmark = pytest.mark.django_db


class OracleNetwork:
    """Stands in for the oracle's HTTP library; whatever host it calls is the sandbox."""

    def __init__(self) -> None:
        self._client = httpx.Client(transport=SandboxTransport())

    def get(self, *, url: str, headers: dict[str, str], **_: object) -> httpx.Response:
        return self._client.get(url, headers=headers)

    def post(
        self, *, url: str, json: object, headers: dict[str, str], **_: object
    ) -> httpx.Response:
        body = wechatpayv3.core.json.dumps(json) if json else b""
        return self._client.post(url, content=body, headers=headers)


@pytest.fixture(params=["public_key", "certificate"])
def oracle(
    request: pytest.FixtureRequest,
    known_keys: None,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    settings: LazySettings,
) -> OracleClient:
    """The independent client, in each of its modes; the second downloads the certificates."""
    settings.ROOT_URLCONF = "tests.channels.wechatpay.root_urls"
    monkeypatch.setattr(wechatpayv3.core, "requests", OracleNetwork())
    by_key = {
        "public_key": keys["platform_public_key"],
        "public_key_id": keys["platform_public_key_id"],
    }
    return OracleClient(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=keys["mchid"],
        private_key=keys["merchant_private_key"],
        cert_serial_no=keys["merchant_serial"],
        appid=keys["appid"],
        apiv3_key=keys["apiv3_key"],
        notify_url="https://pay.example.cn/notify/",
        **(by_key if request.param == "public_key" else {}),
    )


def test_an_independent_client_gets_on_with_the_sandbox(oracle: OracleClient, keys: Keys) -> None:
    number = "20261123ORACLE1"

    status, body = oracle.pay(
        description="龙井", out_trade_no=number, amount={"total": 100, "currency": "CNY"}
    )
    assert status == 200
    assert "/sandbox/wallet/" in body
    paid = orders.pay(SandboxOrder.objects.get(number=number).pk, SPEAKER, at=timezone.now())
    status, body = oracle.query(out_trade_no=number)
    assert status == 200
    assert '"trade_state": "SUCCESS"' in body
    status, body = oracle.query(transaction_id=paid.gateway_number)
    assert status == 200
    letter = SPEAKER.payment_notice(paid, keys, notice_id="EV-1", at=timezone.now())
    told = oracle.callback(dict(letter.headers), letter.body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"]["out_trade_no"] == number
    assert told["resource"]["amount"]["total"] == 100
    status, body = oracle.close(number)
    assert (status, "ORDERPAID" in body) == (400, True)
    status, body = oracle.refund(
        out_trade_no=number,
        out_refund_no="RF1",
        amount={"refund": 100, "total": 100, "currency": "CNY"},
    )
    assert (status, '"PROCESSING"' in body) == (200, True)
    status, body = oracle.query_refund("RF1")
    assert (status, '"SUCCESS"' in body) == (200, True)
    back = SPEAKER.refund_notice(
        SandboxRefund.objects.get(), keys, notice_id="EV-2", at=timezone.now()
    )
    assert back is not None
    assert oracle.callback(dict(back.headers), back.body)["event_type"] == "REFUND.SUCCESS"


def test_an_independent_client_closes_an_order(oracle: OracleClient) -> None:
    oracle.pay(description="龙井", out_trade_no="20261123ORACLE2", amount={"total": 100})

    status, _ = oracle.close("20261123ORACLE2")

    assert status == 204
    assert SandboxOrder.objects.get().state == "closed"


def test_an_independent_client_fetches_the_bill_that_we_read(
    oracle: OracleClient, shop: WeChatPayGateway
) -> None:
    number = "20261123ORACLE2"
    oracle.pay(description="龙井, 明前", out_trade_no=number, amount={"total": 100})
    orders.pay(SandboxOrder.objects.get(number=number).pk, SPEAKER, at=timezone.now())
    day = timezone.now().astimezone(BEIJING).date()
    bills.plant("wechatpay", day, counts=dict.fromkeys(bills.ERRORS, 0), is_late=False)

    status, body = oracle.trade_bill(bill_date=day.isoformat(), bill_type="ALL", tar_type="GZIP")
    assert status == 200
    told = json.loads(body)
    status, packed = oracle.download_bill(url=told["download_url"])

    assert status == 200
    assert hashlib.sha1(gzip.decompress(packed)).hexdigest() == told["hash_value"]  # noqa: S324
    (line,) = shop.bills.parse_bill(io.BytesIO(packed), day=day)
    assert (line.number, line.amount_minor) == (number, 100)
