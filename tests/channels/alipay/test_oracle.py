"""Every message that we sign or verify, against python-alipay-sdk and the openssl command."""

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from alipay import AliPay
from django.test import Client

from payments.channels.alipay.gateway import AlipayGateway
from payments.channels.alipay.protocol import canonical_request
from payments.channels.base import Order, TradeState
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder
from payments.channels.sandbox.speakers import SPEAKERS
from tests.channels.alipay.conftest import ask_for, key_of, message


@pytest.fixture
def merchant(keys):
    """The SDK in the merchant's place."""
    return AliPay(
        appid=keys["app_id"],
        app_private_key_string=keys["merchant_private"],
        alipay_public_key_string=keys["gateway_public"],
    )


@pytest.fixture
def gateway(keys):
    """The SDK in Alipay's place: it signs with Alipay's key and trusts the merchant's."""
    return AliPay(
        appid=keys["app_id"],
        app_private_key_string=keys["gateway_private"],
        alipay_public_key_string=keys["merchant_public"],
    )


def parameters(request: httpx.Request) -> dict[str, str]:
    """All parameters of a sent request, decoded once."""
    return dict(parse_qsl(request.url.query.decode()) + parse_qsl(request.content.decode()))


def beijing_now() -> str:
    return datetime.now(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")


def do_everything(
    alipay: AlipayGateway, order: Callable[..., Order], control: Callable[..., object]
) -> None:
    ask = order()
    alipay.open(ask)
    alipay.query(key_of(ask))
    control("alipay", "pay", number=ask.number)
    alipay.close(key_of(ask))
    alipay.refund(ask_for(ask, 30))
    alipay.refund(ask_for(ask, 30))


def test_the_sdk_makes_the_same_signature_for_every_call(
    alipay, order, control, transport, merchant
):
    do_everything(alipay, order, control)
    assert len({parameters(r)["method"] for r in transport.sent}) == 5
    for request in transport.sent:
        params = parameters(request)
        ours = params.pop("sign")
        theirs = dict(parse_qsl(merchant.sign_data(params)))["sign"]
        assert ours == theirs


def test_the_sdk_makes_the_same_signature_for_a_browser_address(alipay, order, merchant):
    for product in ("page", "wap"):
        url = alipay.open(order(product=product)).value.url
        params = dict(parse_qsl(urlsplit(url).query))
        ours = params.pop("sign")
        assert ours == dict(parse_qsl(merchant.sign_data(params)))["sign"]


def test_openssl_accepts_our_request(alipay, order, transport, keys, tmp_path):
    alipay.open(order())
    params = parameters(transport.sent[0])
    (tmp_path / "key").write_text(keys["merchant_public"])
    (tmp_path / "signature").write_bytes(base64.b64decode(params["sign"]))
    (tmp_path / "text").write_bytes(canonical_request(params))
    told = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "key", "-signature", "signature", "text"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "Verified OK\n"


def test_the_sandbox_accepts_what_the_sdk_signs(db, merchant, keys):
    order_string = merchant.client_api(
        "alipay.trade.page.pay",
        biz_content={
            "out_trade_no": "sdk1", "total_amount": "8.8", "subject": "风筝",
            "product_code": "FAST_INSTANT_TRADE_PAY",
        },
        timestamp=beijing_now(),
    )  # fmt: skip
    answer = Client().get(f"/sandbox/alipay/gateway.do?{order_string}")
    assert answer.status_code == 302, answer.content.decode()
    assert SandboxOrder.objects.get().amount.minor == 880


def test_the_sdk_believes_the_sandbox_and_us_the_same_answers(db, merchant, alipay, order):
    alipay.open(order())
    signed = merchant.client_api(
        "alipay.trade.query", biz_content={"out_trade_no": "att01"}, timestamp=beijing_now()
    )
    raw = Client().get(f"/sandbox/alipay/gateway.do?{signed}").content.decode()
    told = merchant._verify_and_return_sync_response(raw, "alipay_trade_query_response")
    assert told["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_the_sdk_verifies_the_sandboxs_notification(alipay, order, control, keys, merchant):
    alipay.open(order())
    control("alipay", "pay", number="att01")
    queued = SandboxMessage.objects.get()
    letter = SPEAKERS["alipay"].payment_notice(
        queued.order, keys, notice_id="n1", at=datetime.now(UTC)
    )
    fields = dict(parse_qsl(letter.body.decode(), keep_blank_values=True))
    signature = fields.pop("sign")
    assert merchant.verify(dict(fields), signature)
    assert not merchant.verify({**fields, "total_amount": "0.01"}, signature)


def test_we_read_a_notification_that_the_sdk_signed(alipay, gateway, keys):
    fields = {
        "notify_id": "2026112300222", "app_id": keys["app_id"], "seller_id": keys["seller_id"],
        "out_trade_no": "att01", "trade_no": "2026112322001", "trade_status": "TRADE_SUCCESS",
        "total_amount": "88.8", "gmt_payment": "2026-11-23 10:00:00", "subject": "风筝 + 线&=",
        "charset": "utf-8",
    }  # fmt: skip
    signed = dict(parse_qsl(gateway.sign_data(dict(fields)))) | {"sign_type": "RSA2"}
    trade = alipay.read(message(urlencode(signed).encode())).trade
    assert trade.state is TradeState.PAID
    assert trade.amount.minor == 8880
    assert trade.paid_at == datetime(2026, 11, 23, 2, tzinfo=UTC)


def test_the_return_address_is_signed_as_the_sdk_expects(alipay, order, control, keys, merchant):
    url = alipay.open(order(product="page")).value.url.removeprefix("http://sandbox.test")
    Client().get(url)
    placed = SandboxOrder.objects.get()
    back = SPEAKERS["alipay"].way_back(placed, keys)
    assert back is not None
    fields = dict(parse_qsl(urlsplit(back.url).query))
    signature = fields.pop("sign")
    assert merchant.verify(fields, signature)
    assert timedelta(0) <= datetime.now(UTC) - placed.created_at < timedelta(minutes=1)
