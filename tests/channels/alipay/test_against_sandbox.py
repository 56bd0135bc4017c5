"""The life of an order at the sandbox's Alipay, as the dialect sees it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
import time_machine
from django.test import Client

from payments.channels.base import (
    Done,
    NotAuthentic,
    QrCode,
    Redirect,
    RefundState,
    Rejected,
    TradeState,
    Unknown,
)
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder, SandboxRefund
from payments.channels.sandbox.notifier import deliver_due
from payments.channels.sandbox.speaker import Letter
from payments.channels.sandbox.speakers import SPEAKERS
from payments.money import Money
from tests.channels.alipay.conftest import ask_for, key_of, message


def letter_of(queued: SandboxMessage, keys: dict[str, str]) -> Letter:
    """The notification's bytes as they would be posted."""
    speaker, at = SPEAKERS["alipay"], datetime.now(UTC)
    if queued.refund:
        letter = speaker.refund_notice(queued.refund, keys, notice_id=queued.notice_id, at=at)
        assert letter is not None
        return letter
    return speaker.payment_notice(queued.order, keys, notice_id=queued.notice_id, at=at)


def test_a_qr_order_is_opened_scanned_paid_and_notified(alipay, order, control, keys):
    ask = order()
    opened = alipay.open(ask)
    assert isinstance(opened, Done)
    assert isinstance(opened.value, QrCode)
    assert opened.value.expires_at == ask.expires_at

    before = alipay.query(key_of(ask))
    assert before == Done(before.value)
    assert before.value.state is TradeState.WAITING

    control("alipay", "pay", payment="pay_01")
    trade = alipay.query(key_of(ask)).value
    assert trade.state is TradeState.PAID
    assert trade.amount == ask.amount
    assert trade.merchant == alipay.merchant_number
    assert abs(trade.paid_at - datetime.now(UTC)) < timedelta(seconds=10)

    queued = SandboxMessage.objects.get()
    told = alipay.read(message(letter_of(queued, keys).body))
    assert told.key == queued.notice_id
    assert told.trade.number == "att01"
    assert told.trade.amount == ask.amount
    assert told.trade.app == alipay.app_number
    assert told.trade.gateway_number == trade.gateway_number


def test_opening_twice_makes_one_order(alipay, order):
    ask = order()
    first, second = alipay.open(ask), alipay.open(ask)
    assert first == second
    assert SandboxOrder.objects.count() == 1


def test_the_same_number_with_another_amount_is_never_a_second_order(alipay, order):
    alipay.open(order())
    again = alipay.open(order(amount=Money(8881)))
    assert again == Unknown(reason="ACQ.CONTEXT_INCONSISTENT")
    assert SandboxOrder.objects.get().amount == Money(8880)


def test_opening_a_paid_order_says_ask_not_fail(alipay, order, control):
    alipay.open(order())
    control("alipay", "pay", number="att01")
    assert alipay.open(order()) == Unknown(reason="ACQ.TRADE_HAS_SUCCESS")


def test_the_browser_products_go_through_the_wallet_and_come_back_signed(alipay, order, keys):
    for product in ("page", "wap"):
        ask = order(product=product, number=f"att{product}", reference=f"pay_{product}")
        opened = alipay.open(ask)
        assert isinstance(opened.value, Redirect)
        browser = Client()
        arrived = browser.get(opened.value.url.removeprefix("http://sandbox.test"))
        assert arrived.status_code == 302, arrived.content.decode()
        wallet = urlsplit(arrived.headers["location"]).path
        page = browser.get(wallet)
        assert page.status_code == 200
        assert "88.80" in page.content.decode()
        paid = browser.post(wallet, {"action": "pay"})
        assert paid.status_code == 302
        returned = parse_qs(urlsplit(paid.headers["location"]).query)
        assert returned["out_trade_no"] == [ask.number]
        assert alipay.query(key_of(ask)).value.state is TradeState.PAID


def test_an_order_nobody_touched_waits_until_its_time_and_is_closed_after_it(alipay, order):
    ask = order()
    alipay.open(ask)
    assert alipay.close(key_of(ask)).value.state is TradeState.WAITING
    with time_machine.travel(ask.expires_at + timedelta(seconds=1)):
        assert alipay.query(key_of(ask)).value.state is TradeState.CLOSED
        assert alipay.close(key_of(ask)).value.state is TradeState.CLOSED


def test_closing_a_scanned_order_keeps_it_from_being_paid(alipay, order, control):
    ask = order()
    alipay.open(ask)
    Client().get(f"/sandbox/wallet/{SandboxOrder.objects.get().token}/")
    assert alipay.query(key_of(ask)).value.state is TradeState.WAITING
    assert alipay.close(key_of(ask)).value.state is TradeState.CLOSED
    assert alipay.close(key_of(ask)).value.state is TradeState.CLOSED
    control("alipay", "pay", number="att01", status=409)
    assert alipay.query(key_of(ask)).value.state is TradeState.CLOSED


def test_closing_too_late_tells_of_the_payment(alipay, order, control):
    ask = order()
    alipay.open(ask)
    control("alipay", "pay", number="att01")
    trade = alipay.close(key_of(ask)).value
    assert (trade.state, trade.amount) == (TradeState.PAID, ask.amount)


def test_refunds_in_parts_up_to_the_whole_and_not_beyond(alipay, order, control, keys):
    ask = order(product="wap")
    Client().get(alipay.open(ask).value.url.removeprefix("http://sandbox.test"))
    control("alipay", "pay", number="att01")
    SandboxMessage.objects.all().delete()

    first = alipay.refund(ask_for(ask, 3000))
    assert first.value.state is RefundState.SUCCEEDED
    assert first.value.amount == Money(3000)
    assert first.value.finished_at is not None
    assert alipay.refund(ask_for(ask, 3000)).value.state is RefundState.SUCCEEDED
    assert SandboxRefund.objects.count() == 1

    too_much = alipay.refund(ask_for(ask, 5881, number="ref02"))
    assert isinstance(too_much, Rejected)
    assert too_much.code == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"

    rest = alipay.refund(ask_for(ask, 5880, number="ref03"))
    assert rest.value.state is RefundState.SUCCEEDED
    assert alipay.query_refund(ask_for(ask, 5880, number="ref03")).value.amount == Money(5880)
    assert alipay.refund(ask_for(ask, 1, number="ref04")) == Rejected(
        code="ACQ.TRADE_HAS_CLOSE", message="交易已经关闭"
    )
    # The order is closed at Alipay now; it was paid all the same.
    assert alipay.query(key_of(ask)).value.state is TradeState.PAID

    partial, full = SandboxMessage.objects.order_by("pk")
    told = alipay.read(message(letter_of(partial, keys).body))
    assert (told.trade, told.refund.number) == (None, "ref01")
    told = alipay.read(message(letter_of(full, keys).body))
    assert (told.trade, told.refund.number) == (None, "ref03")
    assert told.refund.state is RefundState.SUCCEEDED
    assert told.refund.order_number == "att01"


def test_a_refund_that_never_arrived_is_undecided_at_first_and_then_to_be_sent_again(
    alipay, order, control
):
    ask = order()
    alipay.open(ask)
    control("alipay", "pay", number="att01")
    control("alipay", "next", fault="timeout_before")
    assert alipay.refund(ask_for(ask, 100)) == Unknown(reason="timeout")
    assert alipay.query_refund(ask_for(ask, 100)) == Unknown(reason="refund_not_known")
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=40)):
        later = alipay.query_refund(ask_for(ask, 100))
        assert isinstance(later, Rejected)
        assert later.code == "refund_not_known"
        assert alipay.refund(ask_for(ask, 100)).value.state is RefundState.SUCCEEDED
        assert alipay.query_refund(ask_for(ask, 100)).value.state is RefundState.SUCCEEDED


def test_the_refund_number_cannot_change_its_amount(alipay, order, control):
    ask = order()
    alipay.open(ask)
    control("alipay", "pay", number="att01")
    alipay.refund(ask_for(ask, 100))
    assert alipay.refund(ask_for(ask, 101)).code == "ACQ.DISCORDANT_REPEAT_REQUEST"


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        ("signature", "bad_signature"),
        ("amount", "bad_signature"),
        ("other_key", "bad_signature"),
        ("unsigned", "unsigned"),
    ],
)
def test_a_spoiled_notification_is_refused_and_its_true_copy_is_read(
    alipay, order, control, tamper, reason
):
    alipay.open(order())
    control("alipay", "pay", number="att01")
    control("alipay", "notify", number="att01", tamper=tamper)
    heard = []

    def hear(request: httpx.Request) -> httpx.Response:
        heard.append(request.content)
        return httpx.Response(200, content=b"success")

    assert deliver_due(transport=httpx.MockTransport(hear)) == 2
    keys, reasons = set(), []
    for body in heard:
        try:
            keys.add(alipay.read(message(body)).key)
        except NotAuthentic as refusal:
            reasons.append(refusal.reason)
    assert (len(keys), reasons) == (1, [reason])


def test_a_lie_about_the_amount_is_well_signed_and_shows(alipay, order, control, keys):
    ask = order()
    alipay.open(ask)
    control("alipay", "pay", number="att01", amount=8879)
    told = alipay.read(message(letter_of(SandboxMessage.objects.get(), keys).body))
    assert told.trade.amount == Money(8879)
    assert alipay.query(key_of(ask)).value.amount == Money(8879)


def test_the_subject_is_what_alipay_takes(alipay, order):
    alipay.open(order(subject="a\x00b\r\n/c=d&e" + "长" * 5000))
    assert SandboxOrder.objects.get().subject.startswith("a b ／c＝d＆e长")
    assert len(SandboxOrder.objects.get().subject) == 256
    alipay.open(order(number="att02", subject="\x00\n"))
    assert SandboxOrder.objects.get(number="att02").subject == "att02"


def test_calls_with_a_stale_clock_or_another_key_are_refused(
    alipay, connection, gateway_http, order, keys, transport
):
    alipay.open(order())
    sent = transport.sent[0]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        late = Client().post(
            f"/sandbox/alipay/gateway.do?{sent.url.query.decode()}",
            sent.content,
            content_type="application/x-www-form-urlencoded",
        )
    assert b"isv.invalid-timestamp" in late.content
    changed = dict(parse_qsl(sent.content.decode()))
    changed["biz_content"] = changed["biz_content"].replace("88.80", "0.01")
    forged = Client().post(
        f"/sandbox/alipay/gateway.do?{sent.url.query.decode()}",
        urlencode(changed),
        content_type="application/x-www-form-urlencoded",
    )
    assert b"isv.invalid-signature" in forged.content
    assert SandboxOrder.objects.get().amount == Money(8880)
