"""The dialect and the sandbox talk to each other: orders, refunds, faults, and what both refuse."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import wechatpayv3.core
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from wechatpayv3 import WeChatPay as OracleClient
from wechatpayv3 import WeChatPayType

from payments.channels.base import (
    Done,
    Order,
    Outcome,
    QrCode,
    RawMessage,
    Redirect,
    RefundState,
    Rejected,
    Trade,
    TradeState,
    Unknown,
)
from payments.channels.sandbox import faults, orders
from payments.channels.sandbox.faults import Fault
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import (
    SandboxGateway,
    SandboxMessage,
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.speaker import Letter
from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.money import Money
from tests.channels.conftest import SandboxTransport
from tests.channels.wechatpay.scene import Keys, connect, key_of, order, refund_of

pytestmark = pytest.mark.django_db

BASE_URL = "http://sandbox.test/sandbox/wechatpay"


@pytest.fixture(autouse=True)
def known_keys(db: None, keys: Keys) -> Iterator[None]:
    """The sandbox holds the keys that the stories know, and remembers no nonce of another story."""
    SandboxGateway.objects.create(gateway=SPEAKER.name, keys=dict(keys))
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def shop() -> WeChatPayGateway:
    """A merchant of the sandbox, connected with what the sandbox hands out."""
    given = SPEAKER.credentials(keys_of(SPEAKER))
    return connect(given, SandboxTransport(), base_url=BASE_URL, clock=timezone.now)


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


def test_a_scanned_code_is_paid_and_told_of(shop: WeChatPayGateway, settings: LazySettings):
    lin = asked()
    shown = shop.open(lin)
    assert isinstance(shown, Done)
    assert isinstance(shown.value, QrCode)
    known = SandboxOrder.objects.get(number=lin.number)
    assert shown.value.content == f"{settings.BASE_URL}/sandbox/wallet/{known.token}/"
    assert known.reference == lin.reference
    assert state(shop.query(key_of(lin))) is TradeState.WAITING

    paid = pay(lin)

    found = shop.query(key_of(lin))
    assert isinstance(found, Done)
    assert found.value.state is TradeState.PAID
    at = timezone.now()
    letter = SPEAKER.payment_notice(paid, keys_of(SPEAKER), notice_id="EV-1", at=at)
    told = shop.read(raw(letter, at))
    assert told.key == "EV-1"
    assert told.trade == found.value
    assert found.value.amount == lin.amount
    assert (found.value.merchant, found.value.app) == (shop.merchant_number, shop.app_number)
    assert SandboxMessage.objects.get().url == lin.notify_url


def test_a_phone_pays_and_comes_back(shop: WeChatPayGateway, client: Client):
    lin = asked("h5")
    shown = shop.open(lin)
    assert isinstance(shown, Done)
    assert isinstance(shown.value, Redirect)

    hop = client.get(shown.value.url)

    known = SandboxOrder.objects.get(number=lin.number)
    assert hop.headers["Location"] == f"/sandbox/wallet/{known.token}/"
    back = SPEAKER.way_back(pay(lin), keys_of(SPEAKER))
    assert back is not None
    assert back.url == lin.return_url


def test_no_browser_is_sent_back_to_a_script(shop: WeChatPayGateway, client: Client):
    lin = asked("h5", return_url="")
    shown = shop.open(lin)
    assert isinstance(shown, Done)
    assert isinstance(shown.value, Redirect)

    client.get(shown.value.url, {"redirect_url": "javascript:alert(1)"})

    assert SPEAKER.way_back(pay(lin), keys_of(SPEAKER)) is None


def test_opening_twice_makes_one_order_and_shows_the_same_code(shop: WeChatPayGateway):
    lin = asked()

    first, second = shop.open(lin), shop.open(lin)

    assert isinstance(first, Done)
    assert first == second
    assert SandboxOrder.objects.count() == 1


def test_a_number_with_other_content_is_not_called_refused(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)

    again = shop.open(replace(lin, amount=Money(1)))

    assert again == Unknown(reason="OUT_TRADE_NO_USED")
    assert SandboxOrder.objects.get().amount == lin.amount


def test_opening_what_is_paid_leads_to_the_question_that_finds_it(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)
    pay(lin)

    assert shop.open(lin) == Unknown(reason="ORDERPAID")
    assert state(shop.query(key_of(lin))) is TradeState.PAID


def test_a_closed_order_stays_closed(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)

    assert state(shop.close(key_of(lin))) is TradeState.CLOSED
    assert state(shop.close(key_of(lin))) is TradeState.CLOSED
    assert state(shop.query(key_of(lin))) is TradeState.CLOSED
    reopened = shop.open(lin)
    assert isinstance(reopened, Rejected)
    assert reopened.code == "ORDER_CLOSED"


def test_a_paid_order_cannot_be_closed(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)
    pay(lin)

    assert state(shop.close(key_of(lin))) is TradeState.PAID


def test_an_order_that_never_was_is_waiting_and_can_be_closed(shop: WeChatPayGateway):
    never = key_of(asked())

    assert state(shop.query(never)) is TradeState.WAITING
    assert state(shop.close(never)) is TradeState.CLOSED


def test_a_lapsed_order_is_not_payable_but_not_closed_either(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)
    SandboxOrder.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(orders.OrderClosed):
        pay(lin)
    assert state(shop.query(key_of(lin))) is TradeState.WAITING


def test_a_lie_about_the_amount_reaches_the_caller(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)
    pay(lin, fen=1)

    found = shop.query(key_of(lin))

    assert isinstance(found, Done)
    assert found.value.amount == Money(1)


def test_an_emoji_costs_no_order(shop: WeChatPayGateway):
    assert isinstance(shop.open(asked(subject="奶茶 🧋\n" + "大" * 500)), Done)
    assert SandboxOrder.objects.get().subject.startswith("奶茶 □大")


def test_a_refund_is_processing_and_then_done(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)
    pay(lin)
    ask = refund_of(lin, 880)

    first, again, later = shop.refund(ask), shop.refund(ask), shop.query_refund(ask)

    assert isinstance(first, Done)
    assert first.value.state is RefundState.PROCESSING
    assert isinstance(again, Done)
    assert again == later
    assert later.value.state is RefundState.SUCCEEDED
    assert later.value.amount == Money(880)
    assert SandboxRefund.objects.count() == 1
    assert state(shop.query(key_of(lin))) is TradeState.PAID


@pytest.mark.parametrize(
    ("kept", "meaning"),
    [
        ("succeeded", RefundState.SUCCEEDED),
        ("abnormal", RefundState.PROCESSING),
        ("failed", RefundState.FAILED),
    ],
)
def test_a_refund_is_told_of(shop: WeChatPayGateway, kept: str, meaning: RefundState):
    lin = asked()
    shop.open(lin)
    pay(lin)
    shop.refund(refund_of(lin, 880))
    refund = SandboxRefund.objects.get()
    refund.state = kept
    at = timezone.now()

    letter = SPEAKER.refund_notice(refund, keys_of(SPEAKER), notice_id="EV-2", at=at)

    assert letter is not None
    told = shop.read(raw(letter, at)).refund
    assert told is not None
    assert told.state is meaning
    assert told.amount == Money(880)
    assert SandboxMessage.objects.filter(refund=refund).count() == 1
    refund.state = "processing"
    assert SPEAKER.refund_notice(refund, keys_of(SPEAKER), notice_id="EV-3", at=at) is None


def test_refunds_that_cannot_be_are_refused(shop: WeChatPayGateway):
    lin = asked()
    shop.open(lin)
    unpaid = shop.refund(refund_of(lin, 880))
    pay(lin)
    shop.refund(refund_of(lin, 8000, "RF1"))
    codes = [
        shop.refund(ask)
        for ask in (
            refund_of(lin, 881, "RF2"),
            refund_of(asked(number="NEVER0001"), 1, "RF3"),
            replace(refund_of(lin, 1, "RF4"), paid=Money(8881)),
        )
    ]

    assert isinstance(unpaid, Rejected)
    assert unpaid.code == "TRADE_ERROR"
    assert [getattr(no, "code", no) for no in codes] == [
        "INVALID_REQUEST", "ORDER_NOT_EXIST", "INVALID_REQUEST",
    ]  # fmt: skip
    assert isinstance(shop.query_refund(refund_of(lin, 881, "RF2")), Rejected)
    assert SandboxRefund.objects.count() == 1


def test_a_refunds_number_belongs_to_one_refund_of_the_merchant(shop: WeChatPayGateway):
    lin, wang = asked(), asked(number="20261123WANG001")
    for ask in (lin, wang):
        shop.open(ask)
        pay(ask)
    shop.refund(refund_of(lin, 880, "RF1"))

    stolen = shop.refund(refund_of(wang, 880, "RF1"))
    changed = shop.caller.post(
        "/v3/refund/domestic/refunds",
        {
            "out_trade_no": lin.number,
            "out_refund_no": "RF1",
            "amount": {"refund": 881, "total": 8880, "currency": "CNY"},
        },
    )

    assert stolen == Unknown(reason="unreadable")
    assert isinstance(changed, Rejected)
    assert changed.code == "INVALID_REQUEST"
    assert SandboxRefund.objects.count() == 1


@pytest.mark.parametrize(
    ("fault", "outcome", "has_happened"),
    [
        (Fault.TIMEOUT_BEFORE, Unknown(reason="timeout"), False),
        (Fault.TIMEOUT_AFTER, Unknown(reason="timeout"), True),
        (Fault.HTTP_500, Unknown(reason="http_500"), False),
        (Fault.BAD_SIGNATURE, Unknown(reason="bad_signature"), True),
        (Fault.SYSTEM_ERROR, Unknown(reason="SYSTEM_ERROR"), False),
        (Fault.REFUSE, Rejected(code="RULE_LIMIT", message="业务规则限制"), False),
        (Fault.SLOW, None, True),
    ],
)
def test_after_any_fault_a_repeat_makes_one_order_and_one_refund(
    shop: WeChatPayGateway, fault: Fault, outcome: object, has_happened: bool
):
    lin, ask = asked(), refund_of(asked(), 880)
    faults.plan(SPEAKER.name, fault, 1)
    opened = shop.open(lin)
    assert SandboxOrder.objects.exists() is has_happened
    assert isinstance(shop.open(lin), Done)
    pay(lin)
    faults.plan(SPEAKER.name, fault, 1)
    refunded = shop.refund(ask)
    assert SandboxRefund.objects.exists() is has_happened
    assert isinstance(shop.refund(ask), Done)

    assert SandboxOrder.objects.count() == SandboxRefund.objects.count() == 1
    if outcome is None:
        assert isinstance(opened, Done)
        assert isinstance(refunded, Done)
    else:
        assert opened == refunded == outcome


def test_a_gateway_that_is_down_is_unknown(shop: WeChatPayGateway):
    faults.switch(SPEAKER.name, is_down=True)

    assert shop.open(asked()) == Unknown(reason="http_503")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"description": "奶茶 🧋"}, "PARAM_ERROR"),
        ({"description": "a\nb"}, "PARAM_ERROR"),
        ({"description": ""}, "PARAM_ERROR"),
        ({"description": "茶" * 128}, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"out_trade_no": "has space in it"}, "PARAM_ERROR"),
        ({"time_expire": "soon"}, "PARAM_ERROR"),
        ({"time_expire": "2030-01-01T00:00:00"}, "PARAM_ERROR"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "PARAM_ERROR"),
        ({"notify_url": "https://pay.example.cn/notify?x=1"}, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, "PARAM_ERROR"),
        ({"amount": {"total": 88.8}}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"amount": 8880}, "PARAM_ERROR"),
        ({"mchid": "1"}, "PARAM_ERROR"),
        ({"appid": "wx0"}, "APPID_MCHID_NOT_MATCH"),
    ],
)
def test_the_sandbox_refuses_what_the_gateway_refuses(
    shop: WeChatPayGateway, spoil: dict[str, object], code: str
):
    members = {
        "appid": shop.app_number,
        "mchid": shop.merchant_number,
        "description": "奶茶",
        "out_trade_no": "20261123LIN0001",
        "notify_url": "https://pay.example.cn/notify/",
        "amount": {"total": 1},
    }
    assert isinstance(shop.caller.post("/v3/pay/transactions/native", members), Done)

    no = shop.caller.post("/v3/pay/transactions/native", members | spoil)

    assert isinstance(no, Rejected)
    assert no.code == code


def test_an_h5_order_needs_its_scene(shop: WeChatPayGateway):
    no = shop.open(asked("h5", client_ip=""))

    assert isinstance(no, Rejected)
    assert no.code == "PARAM_ERROR"


def test_the_sandbox_believes_only_our_signature(keys: Keys, other_keys: Keys):
    given = SPEAKER.credentials(keys)
    strangers = {
        "key": given | {"merchant_private_key": other_keys["merchant_private_key"]},
        "serial": given | {"merchant_serial": "ABCDEF"},
        "merchant": given | {"mchid": "1900000110"},
    }
    for stranger in strangers.values():
        shop = connect(stranger, SandboxTransport(), base_url=BASE_URL, clock=timezone.now)
        no = shop.open(asked())
        assert isinstance(no, Rejected)
        assert (no.code, no.is_our_fault) == ("SIGN_ERROR", True)
    assert not SandboxOrder.objects.exists()


def test_a_call_is_good_for_five_minutes_and_once(keys: Keys):
    seen: list[httpx.Request] = []
    network = SandboxTransport()

    def keep(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return network.handle_request(request)

    given = SPEAKER.credentials(keys)
    shop = connect(given, httpx.MockTransport(keep), base_url=BASE_URL, clock=timezone.now)
    late = connect(
        given,
        SandboxTransport(),
        base_url=BASE_URL,
        clock=lambda: timezone.now() - timedelta(seconds=299),
    )
    later = connect(
        given,
        SandboxTransport(),
        base_url=BASE_URL,
        clock=lambda: timezone.now() - timedelta(seconds=302),
    )

    assert isinstance(shop.open(asked()), Done)
    replayed = httpx.Client(transport=network).send(seen[0])
    assert (replayed.status_code, replayed.json()["code"]) == (401, "SIGN_ERROR")
    assert isinstance(late.query(key_of(asked())), Done)
    assert later.query(key_of(asked())) == Unknown(reason="stale")


def test_a_caller_without_manners_is_refused(shop: WeChatPayGateway):
    client = httpx.Client(transport=SandboxTransport())

    bare = client.get(f"{BASE_URL}/v3/certificates", headers={"Accept": "text/html"})
    wrong = client.post(f"{BASE_URL}/v3/certificates", headers={"Accept": "application/json"})
    other = client.get(f"{BASE_URL}/v3/certificates", headers={"Wechatpay-Serial": "FF"})

    assert [answer.json()["code"] for answer in (bare, wrong, other)] == [
        "PARAM_ERROR", "INVALID_REQUEST", "PARAM_ERROR",
    ]  # fmt: skip


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


def test_an_independent_client_gets_on_with_the_sandbox(oracle: OracleClient, keys: Keys):
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
    letter = SPEAKER.refund_notice(
        SandboxRefund.objects.get(), keys, notice_id="EV-2", at=timezone.now()
    )
    assert letter is not None
    assert oracle.callback(dict(letter.headers), letter.body)["event_type"] == "REFUND.SUCCESS"


def test_an_independent_client_closes_an_order(oracle: OracleClient):
    oracle.pay(description="龙井", out_trade_no="20261123ORACLE2", amount={"total": 100})

    status, _ = oracle.close("20261123ORACLE2")

    assert status == 204
    assert SandboxOrder.objects.get().state == "closed"


def test_spoiled_base64_stays_base64(keys: Keys):
    letter = Letter(headers={"Wechatpay-Signature": base64.b64encode(b"abcd").decode()}, body=b"")

    spoiled = SPEAKER.tamper(letter, "signature").headers["Wechatpay-Signature"]

    assert base64.b64decode(spoiled, validate=True) != b"abcd"
