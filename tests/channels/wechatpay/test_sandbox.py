"""The dialect and the sandbox talk to each other: from an order to its refund."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from payments.channels.base import (
    Done,
    QrCode,
    Redirect,
    RefundState,
    Rejected,
    TradeState,
    Unknown,
)
from payments.channels.sandbox import orders
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import (
    SandboxMessage,
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.money import Money
from tests.channels.wechatpay.scene import asked, key_of, pay, raw, refund_of, state

pytestmark = pytest.mark.django_db


def test_a_scanned_code_is_paid_and_told_of(shop: WeChatPayGateway, settings: LazySettings) -> None:
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


def test_a_phone_pays_and_comes_back(shop: WeChatPayGateway, client: Client) -> None:
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


def test_no_browser_is_sent_back_to_a_script(shop: WeChatPayGateway, client: Client) -> None:
    lin = asked("h5", return_url="")
    shown = shop.open(lin)
    assert isinstance(shown, Done)
    assert isinstance(shown.value, Redirect)

    client.get(shown.value.url, {"redirect_url": "javascript:alert(1)"})

    assert SPEAKER.way_back(pay(lin), keys_of(SPEAKER)) is None


def test_opening_twice_makes_one_order_and_shows_the_same_code(shop: WeChatPayGateway) -> None:
    lin = asked()

    first, second = shop.open(lin), shop.open(lin)

    assert isinstance(first, Done)
    assert first == second
    assert SandboxOrder.objects.count() == 1


def test_a_number_with_other_content_is_not_called_refused(shop: WeChatPayGateway) -> None:
    lin = asked()
    shop.open(lin)

    again = shop.open(replace(lin, amount=Money(1)))

    assert again == Unknown(reason="OUT_TRADE_NO_USED")
    assert SandboxOrder.objects.get().amount == lin.amount


def test_opening_what_is_paid_leads_to_the_question_that_finds_it(shop: WeChatPayGateway) -> None:
    lin = asked()
    shop.open(lin)
    pay(lin)

    assert shop.open(lin) == Unknown(reason="ORDERPAID")
    assert state(shop.query(key_of(lin))) is TradeState.PAID


def test_a_closed_order_stays_closed(shop: WeChatPayGateway) -> None:
    lin = asked()
    shop.open(lin)

    assert state(shop.close(key_of(lin))) is TradeState.CLOSED
    assert state(shop.close(key_of(lin))) is TradeState.CLOSED
    assert state(shop.query(key_of(lin))) is TradeState.CLOSED
    reopened = shop.open(lin)
    assert isinstance(reopened, Rejected)
    assert reopened.code == "ORDER_CLOSED"


def test_a_paid_order_cannot_be_closed(shop: WeChatPayGateway) -> None:
    lin = asked()
    shop.open(lin)
    pay(lin)

    assert state(shop.close(key_of(lin))) is TradeState.PAID


def test_an_order_that_never_was_is_waiting_and_can_be_closed(shop: WeChatPayGateway) -> None:
    never = key_of(asked())

    assert state(shop.query(never)) is TradeState.WAITING
    assert state(shop.close(never)) is TradeState.CLOSED


def test_a_lapsed_order_is_not_payable_but_not_closed_either(shop: WeChatPayGateway) -> None:
    lin = asked()
    shop.open(lin)
    SandboxOrder.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(orders.OrderClosed):
        pay(lin)
    assert state(shop.query(key_of(lin))) is TradeState.WAITING


def test_a_lie_about_the_amount_reaches_the_caller(shop: WeChatPayGateway) -> None:
    lin = asked()
    shop.open(lin)
    pay(lin, fen=1)

    found = shop.query(key_of(lin))

    assert isinstance(found, Done)
    assert found.value.amount == Money(1)


def test_an_emoji_costs_no_order(shop: WeChatPayGateway) -> None:
    assert isinstance(shop.open(asked(subject="奶茶 🧋\n" + "大" * 500)), Done)
    assert SandboxOrder.objects.get().subject.startswith("奶茶 □大")


def test_a_refund_is_processing_and_then_done(shop: WeChatPayGateway) -> None:
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
def test_a_refund_is_told_of(shop: WeChatPayGateway, kept: str, meaning: RefundState) -> None:
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


def test_refunds_that_cannot_be_are_refused(shop: WeChatPayGateway) -> None:
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


def test_a_refunds_number_belongs_to_one_refund_of_the_merchant(shop: WeChatPayGateway) -> None:
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
