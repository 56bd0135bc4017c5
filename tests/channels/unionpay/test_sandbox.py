"""The dialect and the sandbox, written apart from each other, talk in one process."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from payments.channels.base import (
    Done,
    FormPost,
    NotAuthentic,
    Order,
    QrCode,
    RawMessage,
    RefundState,
    Rejected,
    Trade,
    TradeState,
    Unknown,
)
from payments.channels.sandbox import faults, notifier, orders
from payments.channels.sandbox.faults import Fault
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder, SandboxRefund
from payments.channels.sandbox.unionpay import SPEAKER
from payments.channels.unionpay.gateway import UnionPayGateway
from payments.money import Money
from tests.channels.conftest import BASE_URL, SandboxTransport
from tests.channels.unionpay.scene import REFUND_NUMBER, connect, key_of, order, refund_of

BASE = f"{BASE_URL}/sandbox/unionpay"
pytestmark = [pytest.mark.django_db]


@pytest.fixture
def gateway(transport: SandboxTransport) -> UnionPayGateway:
    return connect(keys_of(SPEAKER), transport, base_url=BASE, clock=timezone.now)


@pytest.fixture
def browser() -> Client:
    return Client()


def now() -> datetime:
    return datetime.now(UTC)


def opened(gateway: UnionPayGateway, asked: Order) -> SandboxOrder:
    """The customer is shown the order; the sandbox knows it."""
    shown = gateway.open(asked)
    assert isinstance(shown, Done)
    if isinstance(shown.value, FormPost):
        assert shown.value.url == f"{BASE}/gateway/api/frontTransReq.do"
        went = Client().post(shown.value.url.removeprefix(BASE_URL),
                             dict(shown.value.fields))  # fmt: skip
        assert went.status_code == 302
    return SandboxOrder.objects.get(number=asked.number)


def paid(gateway: UnionPayGateway, asked: Order) -> SandboxOrder:
    """The customer pays."""
    return orders.pay(opened(gateway, asked).pk, SPEAKER, at=timezone.now())


def trade(gateway: UnionPayGateway, asked: Order) -> Trade:
    told = gateway.query(key_of(asked))
    assert isinstance(told, Done)
    return told.value


def letters(tamper: str = "") -> list[RawMessage]:
    """What the notifier posts now."""
    SandboxMessage.objects.update(tamper=tamper, due_at=timezone.now())
    caught = []

    def catch(request: httpx.Request) -> httpx.Response:
        caught.append(RawMessage(headers={}, body=request.content, received_at=now()))
        return httpx.Response(200, text="ok")

    assert notifier.deliver_due(transport=httpx.MockTransport(catch)) == len(caught)
    return caught


def test_a_qr_code_is_scanned_and_paid(gateway: UnionPayGateway, browser: Client):
    asked = order("qr", created_at=now())
    shown = gateway.open(asked)
    assert isinstance(shown, Done)
    assert isinstance(shown.value, QrCode)
    wallet = "/" + shown.value.content.split("/", 3)[3]
    assert trade(gateway, asked).state is TradeState.WAITING

    page = browser.get(wallet).content.decode()
    assert "88.80" in page
    assert "明前龙井 50g" in page
    browser.post(wallet, {"action": "pay"})

    told = trade(gateway, asked)
    assert (told.state, told.amount) == (TradeState.PAID, Money(8880))
    assert told.merchant == gateway.merchant_number
    [letter] = letters()
    notified = gateway.read(letter).trade
    assert notified == told
    assert told.paid_at is not None
    assert abs(told.paid_at - now()) < timedelta(minutes=1)


def test_a_browser_goes_to_the_page_pays_and_comes_back(gateway: UnionPayGateway, browser: Client):
    asked = order("gateway", created_at=now())
    known = gateway.query(key_of(asked))
    assert isinstance(known, Done)
    assert known.value.state is TradeState.WAITING
    shown = gateway.open(asked)
    assert isinstance(shown, Done)
    assert isinstance(shown.value, FormPost)
    path = shown.value.url.removeprefix(BASE_URL)

    wallet = browser.post(path, dict(shown.value.fields)).headers["Location"]
    assert trade(gateway, asked).state is TradeState.WAITING
    page = browser.post(wallet, {"action": "pay"}).content.decode()

    assert f'action="{asked.return_url}"' in page
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    # A browser's form turns line ends into CRLF.
    fields = {name: re.sub("\r?\n", "\r\n", unescape(value)) for name, value in hidden}
    body = httpx.Request("POST", BASE, data=fields).read()
    back = gateway.read(RawMessage(headers={}, body=body, received_at=now()))
    assert back.trade == trade(gateway, asked)
    [letter] = letters()
    assert gateway.read(letter).trade == back.trade


def test_a_form_may_come_again_but_not_with_other_contents(
    gateway: UnionPayGateway, browser: Client
):
    asked = order("gateway", created_at=now())
    first = opened(gateway, asked)
    assert opened(gateway, asked) == first
    for other in (replace(asked, amount=Money(1)),
                  replace(asked, created_at=asked.created_at + timedelta(seconds=1))):  # fmt: skip
        shown = gateway.open(other)
        assert isinstance(shown, Done)
        assert isinstance(shown.value, FormPost)
        path = shown.value.url.removeprefix(BASE_URL)

        answer = browser.post(path, dict(shown.value.fields))

        assert (answer.status_code, answer.content[:2]) == (400, b"12")
    assert SandboxOrder.objects.get().amount_minor == 8880


def test_a_paid_form_shows_that_it_is_paid(gateway: UnionPayGateway):
    asked = order("gateway", created_at=now())
    first = paid(gateway, asked)

    assert opened(gateway, asked).pk == first.pk


def test_a_repeated_qr_order_is_one_order(gateway: UnionPayGateway):
    asked = order("qr", created_at=now())

    assert isinstance(gateway.open(asked), Done)
    assert gateway.open(asked) == Unknown(reason="12")
    assert gateway.open(replace(asked, amount=Money(1))) == Unknown(reason="12")
    assert SandboxOrder.objects.count() == 1


@pytest.mark.parametrize("product", ["qr", "gateway"])
def test_an_order_lapses(product: str, gateway: UnionPayGateway):
    asked = order(product, created_at=now())
    known = opened(gateway, asked)
    assert trade(gateway, asked).state is TradeState.WAITING

    with time_machine.travel(asked.expires_at + timedelta(seconds=1), tick=False):
        told = gateway.close(key_of(asked))
        with pytest.raises(orders.OrderClosed):
            orders.pay(known.pk, SPEAKER, at=timezone.now())

    assert isinstance(told, Done)
    assert told.value.state is TradeState.CLOSED


def test_another_time_is_another_order(gateway: UnionPayGateway):
    asked = order("qr", created_at=now())
    paid(gateway, asked)

    told = trade(gateway, replace(asked, created_at=asked.created_at - timedelta(seconds=1)))

    assert told.state is TradeState.WAITING


def resigned(
    gateway: UnionPayGateway, path: str, change: Callable[[dict[str, str]], None], browser: Client
) -> str:
    """The QR request with one change made before or after signing; returns the answer's code."""
    sent = []

    def catch(request: httpx.Request) -> httpx.Response:
        sent.append(dict(httpx.QueryParams(request.content.decode())))
        return httpx.Response(500)

    connect(keys_of(SPEAKER), httpx.MockTransport(catch), base_url=BASE).open(
        order("qr", created_at=now())
    )
    fields = sent[0]
    change(fields)
    answer = browser.post(f"/sandbox/unionpay/gateway/api/{path}", fields).content.decode()
    found = re.search(r"(?:^|&)respCode=(..)&", answer) or re.match(r"(..) ", answer)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("txnAmt", "8881", "11"), ("signature", "AAAA", "11"), ("signature", "", "11"),
        ("certId", "1", "11"), ("merId", "777000000000002", "31"), ("version", "5.0.0", "10"),
        ("signMethod", "11", "10"), ("orderId", " ", "11"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["backTransReq.do", "queryTrans.do", "frontTransReq.do"])
def test_an_unauthentic_request_is_refused(
    name: str, value: str, code: str, path: str, gateway: UnionPayGateway, browser: Client
):
    told = resigned(gateway, path, lambda fields: fields.update({name: value}), browser)

    assert told == code
    assert not SandboxOrder.objects.exists()


def test_a_request_is_not_taken_at_the_wrong_address(gateway: UnionPayGateway, browser: Client):
    for path in ("queryTrans.do", "frontTransReq.do"):
        assert resigned(gateway, path, lambda _: None, browser) == "10"


def test_another_merchants_key_is_refused(transport: SandboxTransport):
    keys = {**SPEAKER.make_keys(), **{name: keys_of(SPEAKER)[name] for name in (
        "root_certificate", "middle_certificate")}}  # fmt: skip
    stranger = connect(keys, transport, base_url=BASE, clock=timezone.now)

    told = stranger.open(order("qr", created_at=now()))

    assert isinstance(told, Rejected)
    assert (told.code, told.is_our_fault) == ("11", True)


def test_a_refund_is_made_once_however_often_it_is_asked_for(gateway: UnionPayGateway):
    asked = order("qr", created_at=now())
    known = paid(gateway, asked)
    ask = refund_of(asked, 880, original=known.gateway_number)

    first, second = gateway.refund(ask), gateway.refund(ask)

    assert isinstance(first, Done)
    assert isinstance(second, Done)
    states = (first.value.state, second.value.state)
    assert states == (RefundState.PROCESSING, RefundState.SUCCEEDED)
    assert SandboxRefund.objects.get().amount_minor == 880
    found = gateway.query_refund(ask)
    assert found == second
    told = [gateway.read(letter) for letter in letters()]
    refunds = [each.refund for each in told if each.refund]
    assert [(each.number, each.state, each.amount) for each in refunds] == [
        (REFUND_NUMBER, RefundState.SUCCEEDED, Money(880))
    ]


def test_refunds_may_not_exceed_the_payment(gateway: UnionPayGateway):
    asked = order("gateway", created_at=now())
    known = paid(gateway, asked)
    assert isinstance(gateway.refund(refund_of(asked, 8000)), Done)

    told = gateway.refund(refund_of(asked, 881, "RF20261123LIN02", known.gateway_number))

    assert isinstance(told, Rejected)
    assert told.code == "36"
    assert isinstance(gateway.refund(refund_of(asked, 880, "RF20261123LIN03")), Done)


def test_what_was_not_paid_is_not_refunded(gateway: UnionPayGateway):
    asked = order("qr", created_at=now())
    known = opened(gateway, asked)

    for original in ("", known.gateway_number, "112611231200000000000"):
        told = gateway.refund(refund_of(asked, 880, original=original))
        assert isinstance(told, Rejected)
        assert told.code == "35"
    absent = gateway.query_refund(refund_of(asked, 880))
    assert isinstance(absent, Rejected)
    assert absent.code == "34"


LOST = {
    Fault.TIMEOUT_BEFORE: "timeout", Fault.TIMEOUT_AFTER: "timeout", Fault.HTTP_500: "http_500",
    Fault.BAD_SIGNATURE: "bad_signature", Fault.SYSTEM_ERROR: "02",
}  # fmt: skip
HAPPENED = {Fault.TIMEOUT_AFTER, Fault.BAD_SIGNATURE}


@pytest.mark.parametrize(("fault", "reason"), LOST.items())
def test_a_lost_answer_is_unknown_and_a_repeat_doubles_nothing(
    fault: Fault, reason: str, gateway: UnionPayGateway
):
    asked = order("qr", created_at=now())
    faults.plan("unionpay", fault, 1)

    assert gateway.open(asked) == Unknown(reason=reason)

    assert SandboxOrder.objects.exists() is (fault in HAPPENED)
    again = gateway.open(asked)
    assert again == Unknown(reason="12") if fault in HAPPENED else isinstance(again, Done)
    assert SandboxOrder.objects.count() == 1


@pytest.mark.parametrize(("fault", "reason"), LOST.items())
def test_a_lost_refund_is_asked_for_again_without_doubling(
    fault: Fault, reason: str, gateway: UnionPayGateway
):
    asked = order("qr", created_at=now())
    known = paid(gateway, asked)
    ask = refund_of(asked, 8880, original=known.gateway_number)
    faults.plan("unionpay", fault, 1)

    assert gateway.refund(ask) == Unknown(reason=reason)

    assert isinstance(gateway.refund(ask), Done)
    assert SandboxRefund.objects.get().amount_minor == 8880
    found = gateway.query_refund(ask)
    assert isinstance(found, Done)
    assert found.value.state is RefundState.SUCCEEDED


@pytest.mark.parametrize(("fault", "reason"), LOST.items())
def test_a_lost_query_says_nothing(fault: Fault, reason: str, gateway: UnionPayGateway):
    asked = order("qr", created_at=now())
    paid(gateway, asked)
    faults.plan("unionpay", fault, 1)

    assert gateway.query(key_of(asked)) == Unknown(reason=reason)
    assert trade(gateway, asked).state is TradeState.PAID


def test_a_refusal_is_a_refusal_and_slow_is_only_slow(gateway: UnionPayGateway):
    asked = order("qr", created_at=now())
    faults.plan("unionpay", Fault.REFUSE, 1)
    faults.plan("unionpay", Fault.SLOW, 1)

    told = gateway.open(asked)

    assert isinstance(told, Rejected)
    assert (told.code, told.is_our_fault) == ("30", False)
    assert isinstance(gateway.open(asked), Done)


def test_a_gateway_that_is_down_answers_nobody(gateway: UnionPayGateway, browser: Client):
    faults.switch("unionpay", is_down=True)

    assert gateway.open(order("qr", created_at=now())) == Unknown(reason="http_503")
    front = browser.post("/sandbox/unionpay/gateway/api/frontTransReq.do", {})
    assert front.status_code == 503


def test_copies_are_one_message_and_a_lie_is_another(gateway: UnionPayGateway):
    asked = order("qr", created_at=now())
    paid(gateway, asked)
    [first], [copy], [old] = letters(), letters(), letters("old")
    SandboxOrder.objects.update(paid_minor=8881)
    [lie] = letters()

    told = [gateway.read(letter) for letter in (first, copy, old, lie)]

    assert told[0] == told[1] == told[2]
    assert told[3].key != told[0].key
    assert told[3].trade is not None
    assert told[3].trade.amount == Money(8881)


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        ("signature", "bad_signature"), ("amount", "bad_signature"), ("unsigned", "unsigned"),
        ("other_key", "unknown_key"),
    ],
)  # fmt: skip
def test_a_spoiled_notification_is_refused(tamper: str, reason: str, gateway: UnionPayGateway):
    paid(gateway, order("gateway", created_at=now()))
    [letter] = letters(tamper)

    with pytest.raises(NotAuthentic) as refusal:
        gateway.read(letter)

    assert refusal.value.reason == reason


def test_our_replies_end_or_continue_the_repeats(gateway: UnionPayGateway):
    accepted, refused = gateway.accept(), gateway.refuse("bad_signature")

    assert (accepted.status, accepted.body) == (200, b"ok")
    assert SPEAKER.is_accepted(accepted.status, accepted.body)
    assert not SPEAKER.is_accepted(refused.status, refused.body)
