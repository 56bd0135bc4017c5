"""What we say to UnionPay, and what its answers mean for an order, a close and a refund."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from payments.channels.base import (
    Device,
    Done,
    FormPost,
    QrCode,
    RefundState,
    Rejected,
    TradeState,
    Unknown,
)
from payments.channels.unionpay.gateway import SETTLING, UnionPayGateway
from payments.channels.unionpay.words import finished_at, moment, plain_text, read_moment
from payments.money import Money
from tests.channels.unionpay.scene import (
    BASE,
    NOW,
    NUMBER,
    REFUND_NUMBER,
    Keys,
    answer,
    key_of,
    order,
    paid,
    refund_of,
    refunded,
    sealed,
    talk,
)

AFTER = NOW + timedelta(minutes=30)
ORIGINAL = "112611231200000000018"


def says(keys: Keys, code: str, **changes: str | None) -> httpx.Response:
    """An answer that repeats the order's identity and says `code`."""
    bare: dict[str, str | None] = {
        "accNo": None, "queryId": None, "txnAmt": None, "settleAmt": None, "traceTime": None,
    }  # fmt: skip
    return answer(sealed(paid(keys, respCode=code, **(bare | changes)), keys))


def stands(keys: Keys, original: str, **changes: str | None) -> httpx.Response:
    """A query's answer about a purchase."""
    return answer(sealed(paid(keys, origRespCode=original, **changes), keys))


def refund_stands(keys: Keys, original: str) -> httpx.Response:
    """A query's answer about a refund."""
    return answer(sealed(refunded(keys, origRespCode=original), keys))


def refund_says(keys: Keys, code: str, **changes: str | None) -> httpx.Response:
    """An answer to a refund."""
    return answer(sealed(refunded(keys, respCode=code, **changes), keys))


@pytest.mark.parametrize(("device", "channel"), [(Device.DESKTOP, "07"), (Device.PHONE, "08")])
def test_the_gateway_product_is_a_form_made_without_a_call(
    device: Device, channel: str, keys: Keys
):
    gateway, script = talk(keys)

    shown = gateway.open(order("gateway", device=device))

    assert isinstance(shown, Done)
    assert isinstance(shown.value, FormPost)
    assert shown.value.url == f"{BASE}/gateway/api/frontTransReq.do"
    fields = dict(shown.value.fields)
    assert fields.pop("signature")
    assert fields.pop("certId").isdigit()
    assert fields == {
        "version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "accessType": "0",
        "merId": keys["mer_id"], "orderId": NUMBER, "txnTime": "20261123120000",
        "txnType": "01", "txnSubType": "01", "bizType": "000201", "channelType": channel,
        "txnAmt": "8880", "currencyCode": "156", "payTimeout": "20261123123000",
        "backUrl": "https://pay.example.cn/notify/unionpay/",
        "frontUrl": "https://pay.example.cn/pay/token/return",
        "orderDesc": "明前龙井 50g", "riskRateInfo": "{commodityName=明前龙井 50g}",
        "reqReserved": "pay_01jd0000000000000000000001",
    }  # fmt: skip
    assert script.asked == []
    assert gateway.open(order("gateway", device=device)) == shown


def test_the_qr_product_asks_for_its_text(keys: Keys):
    gateway, script = talk(keys, says(keys, "00", qrCode="https://qr.95516.com/00010000/627"))

    shown = gateway.open(order("qr"))

    assert shown == Done(QrCode(content="https://qr.95516.com/00010000/627", expires_at=AFTER))
    assert script.asked[0].url == f"{BASE}/gateway/api/backTransReq.do"
    [said] = script.forms()
    assert (said["txnType"], said["txnSubType"], said["bizType"]) == ("01", "07", "000000")
    assert "frontUrl" not in said


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "37", "12"])
def test_an_undecided_opening_is_unknown(code: str, keys: Keys):
    gateway, _ = talk(keys, says(keys, code))

    assert gateway.open(order()) == Unknown(reason=code)


@pytest.mark.parametrize(("code", "is_ours"), [("30", False), ("11", True), ("31", True)])
def test_a_refused_opening_is_told_in_unionpays_words(code: str, is_ours: bool, keys: Keys):
    gateway, _ = talk(keys, says(keys, code, respMsg="不行[1]"))

    assert gateway.open(order()) == Rejected(code=code, message="不行[1]", is_our_fault=is_ours)


def test_a_qr_answer_without_its_text_is_no_answer(keys: Keys):
    gateway, _ = talk(keys, says(keys, "00"))

    assert gateway.open(order()) == Unknown(reason="unreadable")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "short"}, "10"),
        ({"number": "with-a-dash-in-it"}, "10"),
        ({"number": "A" * 41}, "10"),
        ({"amount": Money(100, "USD")}, "33"),
        ({"amount": Money(0)}, "33"),
    ],
)
def test_what_unionpay_cannot_take_is_not_sent(
    changes: dict[str, Any], code: str, gateway: UnionPayGateway
):
    told = gateway.open(order(**changes))

    assert isinstance(told, Rejected)
    assert told.code == code


def test_a_wild_subject_is_made_harmless(gateway: UnionPayGateway):
    subject = "A&B={x}[y]\"'\n\t\x00 🍵 " + "茶" * 500
    shown = gateway.open(order("gateway", subject=subject))
    assert isinstance(shown, Done)
    assert isinstance(shown.value, FormPost)
    fields = dict(shown.value.fields)

    assert fields["riskRateInfo"].startswith("{commodityName=A＆B＝｛x｝［y］＂＇ ? 茶茶")
    assert len(fields["orderDesc"].encode()) <= 32
    assert len(fields["riskRateInfo"].encode()) <= 256 + len("{commodityName=}")


def test_a_subject_of_nothing_printable_is_left_out(gateway: UnionPayGateway):
    shown = gateway.open(order("gateway", subject="\u200b\u0007"))

    assert isinstance(shown, Done)
    assert isinstance(shown.value, FormPost)
    assert "orderDesc" not in dict(shown.value.fields)


@pytest.mark.parametrize("code", ["00", "A6"])
def test_a_paid_order_is_told_by_the_original_code(code: str, keys: Keys):
    gateway, script = talk(keys, stands(keys, code))

    told = gateway.query(key_of(order()))

    assert isinstance(told, Done)
    trade = told.value
    assert (trade.number, trade.state, trade.amount) == (NUMBER, TradeState.PAID, Money(8880))
    assert (trade.gateway_number, trade.merchant) == (ORIGINAL, keys["mer_id"])
    assert trade.paid_at == datetime(2026, 11, 23, 4, 0, 7, tzinfo=UTC)
    [said] = script.forms()
    assert script.asked[0].url == f"{BASE}/gateway/api/queryTrans.do"
    assert (said["txnType"], said["txnSubType"]) == ("00", "00")
    assert (said["orderId"], said["txnTime"]) == (NUMBER, "20261123120000")
    assert "txnAmt" not in said


@pytest.mark.parametrize(
    ("original", "at", "state"),
    [
        ("05", NOW, TradeState.WAITING),
        ("61", NOW, TradeState.WAITING),
        ("61", AFTER - timedelta(seconds=1), TradeState.WAITING),
        ("61", AFTER, TradeState.CLOSED),
        ("05", AFTER, TradeState.WAITING),
        ("03", AFTER + SETTLING - timedelta(seconds=1), TradeState.WAITING),
        ("05", AFTER + SETTLING, TradeState.CLOSED),
    ],
)
def test_a_failure_is_final_only_when_the_time_is_up(
    original: str, at: datetime, state: TradeState, keys: Keys
):
    gateway, _ = talk(keys, stands(keys, original), at=at)

    told = gateway.query(key_of(order()))

    assert isinstance(told, Done)
    assert (told.value.state, told.value.amount) == (state, None)


@pytest.mark.parametrize(("at", "state"), [(NOW, TradeState.WAITING), (AFTER, TradeState.CLOSED)])
def test_an_unknown_order_waits_until_its_time_is_up(at: datetime, state: TradeState, keys: Keys):
    for ask in (UnionPayGateway.query, UnionPayGateway.close):
        gateway, _ = talk(keys, says(keys, "34", txnType="00", txnSubType="00"), at=at)

        told = ask(gateway, key_of(order("gateway")))

        assert isinstance(told, Done)
        assert told.value.state is state


def test_close_tells_of_a_payment_that_was_faster(keys: Keys):
    gateway, _ = talk(keys, stands(keys, "00"), at=AFTER)

    told = gateway.close(key_of(order()))

    assert isinstance(told, Done)
    assert told.value.state is TradeState.PAID


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "37"])
def test_a_query_without_a_ready_answer_is_unknown(code: str, keys: Keys):
    gateway, _ = talk(keys, says(keys, code, origRespCode="00"))

    assert gateway.query(key_of(order())) == Unknown(reason=code)


def test_a_refused_query_is_rejected(keys: Keys):
    gateway, _ = talk(keys, says(keys, "11", respMsg="验证签名失败[9100004]"))

    told = gateway.query(key_of(order()))

    assert told == Rejected(code="11", message="验证签名失败[9100004]", is_our_fault=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": "20261123LIN0002"}, {"txnTime": "20261123120001"}, {"merId": "1" * 15},
        {"orderId": None}, {"txnTime": None}, {"txnType": "04"}, {"respCode": None},
        {"respCode": "0"}, {"origRespCode": None}, {"origRespCode": "000"}, {"txnAmt": "88.80"},
        {"txnAmt": "-1"}, {"txnAmt": "٨"}, {"txnAmt": None}, {"currencyCode": "999"},
    ],
)  # fmt: skip
def test_an_authentic_answer_to_something_else_is_no_answer(
    changes: dict[str, str | None], keys: Keys
):
    gateway, _ = talk(keys, answer(sealed(paid(keys, **({"origRespCode": "00"} | changes)), keys)))

    assert gateway.query(key_of(order())) == Unknown(reason="unreadable")


def test_a_refusal_may_leave_out_what_it_refuses(keys: Keys):
    gateway, _ = talk(keys, says(keys, "10", orderId=None, txnTime=None))

    assert isinstance(gateway.query(key_of(order())), Rejected)


CALLS: Final[tuple[Callable[[UnionPayGateway], Any], ...]] = (
    lambda gateway: gateway.open(order()),
    lambda gateway: gateway.query(key_of(order())),
    lambda gateway: gateway.close(key_of(order())),
    lambda gateway: gateway.refund(refund_of(order(), 880, original=ORIGINAL)),
    lambda gateway: gateway.query_refund(refund_of(order(), 880)),
)


@pytest.mark.parametrize(
    ("given", "reason", "was_sent"),
    [
        (httpx.ConnectError("no"), "connect", False),
        (httpx.ReadTimeout("late"), "timeout", True),
        (httpx.ReadError("reset"), "reset", True),
        (httpx.Response(502, text="<html>"), "http_502", True),
        (httpx.Response(302, headers={"location": "/"}), "http_302", True),
        (httpx.Response(200, text="<html>busy</html>"), "unreadable", True),
        (httpx.Response(200, text="Invalid request."), "unreadable", True),
        (httpx.Response(200, text="respCode=00&respMsg=ok"), "unsigned", True),
        (httpx.Response(200), "unreadable", True),
    ],
)
def test_no_authentic_answer_is_unknown(
    given: httpx.Response | Exception, reason: str, was_sent: bool, keys: Keys
):
    for ask in CALLS:
        gateway, script = talk(keys, given)

        assert ask(gateway) == Unknown(reason=reason, was_sent=was_sent)
        assert len(script.asked) == 1


def test_a_strangers_answer_is_unknown(keys: Keys, other_keys: Keys):
    fields = paid({**other_keys, "mer_id": keys["mer_id"]}, origRespCode="00")
    for given in (sealed(fields, other_keys), sealed(paid(keys, origRespCode="00"), other_keys)):
        gateway, _ = talk(keys, answer(given))

        assert gateway.query(key_of(order())) == Unknown(reason="bad_signature")


@pytest.mark.parametrize(("product", "business"), [("gateway", "000201"), ("qr", "000000")])
def test_a_refund_is_only_accepted_at_first(product: str, business: str, keys: Keys):
    gateway, script = talk(keys, refund_says(keys, "00"))

    told = gateway.refund(refund_of(order(product), 880, original=ORIGINAL))

    assert isinstance(told, Done)
    reading = told.value
    assert (reading.number, reading.state) == (REFUND_NUMBER, RefundState.PROCESSING)
    assert (reading.amount, reading.finished_at) == (Money(880), None)
    [said] = script.forms()
    assert (said["txnType"], said["txnSubType"], said["bizType"]) == ("04", "00", business)
    assert (said["orderId"], said["origQryId"]) == (REFUND_NUMBER, ORIGINAL)
    assert (said["txnAmt"], said["txnTime"]) == ("880", "20261123120000")


def test_a_refund_without_unionpays_number_asks_for_it_first(keys: Keys):
    gateway, script = talk(keys, stands(keys, "00"), refund_says(keys, "00"))

    told = gateway.refund(refund_of(order(), 880))

    assert isinstance(told, Done)
    assert [form["txnType"] for form in script.forms()] == ["00", "04"]
    assert script.forms()[1]["origQryId"] == ORIGINAL


def test_an_unpaid_order_cannot_be_refunded(keys: Keys):
    gateway, script = talk(keys, stands(keys, "05"))

    told = gateway.refund(refund_of(order(), 880))

    assert isinstance(told, Rejected)
    assert told.code == "35"
    assert len(script.asked) == 1


@pytest.mark.parametrize("given", [httpx.ReadTimeout("late"), httpx.Response(500)])
def test_a_refund_is_not_sent_on_a_guess(given: httpx.Response | Exception, keys: Keys):
    gateway, script = talk(keys, given)

    assert isinstance(gateway.refund(refund_of(order(), 880)), Unknown)
    assert len(script.asked) == 1


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "37"])
def test_an_undecided_refund_is_unknown(code: str, keys: Keys):
    gateway, _ = talk(keys, refund_says(keys, code))

    assert gateway.refund(refund_of(order(), 880, original=ORIGINAL)) == Unknown(reason=code)


@pytest.mark.parametrize(
    ("refusal", "original", "state"),
    [
        ("12", "00", RefundState.SUCCEEDED),
        ("12", "A6", RefundState.SUCCEEDED),
        ("12", "05", RefundState.PROCESSING),
        ("12", "36", RefundState.FAILED),
        ("36", "00", RefundState.SUCCEEDED),
        ("35", "04", RefundState.PROCESSING),
    ],
)
def test_a_refused_repeat_may_have_taken_effect(
    refusal: str, original: str, state: RefundState, keys: Keys
):
    gateway, script = talk(keys, refund_says(keys, refusal), refund_stands(keys, original))

    told = gateway.refund(refund_of(order(), 880, original=ORIGINAL))

    assert isinstance(told, Done)
    assert told.value.state is state
    assert [form["txnTime"] for form in script.forms()] == ["20261123120000"] * 2


def test_a_refused_refund_that_is_not_there_is_rejected(keys: Keys):
    for found in (refund_says(keys, "34"), refund_stands(keys, "36")):
        gateway, _ = talk(keys, refund_says(keys, "36", respMsg="与原交易信息不符"), found)

        told = gateway.refund(refund_of(order(), 99_999, original=ORIGINAL))

        assert told == Rejected(code="36", message="与原交易信息不符")


@pytest.mark.parametrize(
    ("refusal", "found", "reason"),
    [("12", "34", "12"), ("36", "03", "03"), ("36", "11", "11"), ("12", "30", "30")],
)
def test_a_refused_refund_that_cannot_be_looked_up_is_unknown(
    refusal: str, found: str, reason: str, keys: Keys
):
    gateway, _ = talk(keys, refund_says(keys, refusal), refund_says(keys, found))

    told = gateway.refund(refund_of(order(), 880, original=ORIGINAL))

    assert told == Unknown(reason=reason)


def test_our_own_mistakes_are_not_looked_up(keys: Keys):
    gateway, script = talk(keys, refund_says(keys, "11"))

    told = gateway.refund(refund_of(order(), 880, original=ORIGINAL))

    assert isinstance(told, Rejected)
    assert told.is_our_fault
    assert len(script.asked) == 1


def test_a_refunds_number_and_currency_must_fit(gateway: UnionPayGateway):
    ask = refund_of(order(amount=Money(8880, "HKD")), 880, number="a_b")

    assert isinstance(gateway.refund(ask), Rejected)


def test_a_refund_is_looked_up_by_its_own_number_and_time(keys: Keys):
    gateway, script = talk(keys, refund_stands(keys, "00"), refund_says(keys, "34"))

    told = gateway.query_refund(refund_of(order(), 880))

    assert isinstance(told, Done)
    assert told.value.state is RefundState.SUCCEEDED
    assert told.value.finished_at == datetime(2026, 11, 23, 4, 0, 7, tzinfo=UTC)
    assert told.value.gateway_number == "112611231230000000020"
    assert script.forms()[0]["orderId"] == REFUND_NUMBER
    absent = gateway.query_refund(refund_of(order(), 880))
    assert isinstance(absent, Rejected)
    assert absent.code == "34"


def test_times_are_beijings():
    assert moment(datetime(2026, 12, 31, 16, 0, 0, 999_999, tzinfo=UTC)) == "20270101000000"
    assert read_moment("20270101000000") == datetime(2026, 12, 31, 16, tzinfo=UTC)
    with pytest.raises(ValueError, match="naive"):
        moment(datetime(2026, 12, 31))  # noqa: DTZ001
    assert [read_moment(text) for text in ("", "2027010100000", "20271301000000")] == [None] * 3


@pytest.mark.parametrize(
    ("begun", "traced", "found"),
    [
        ("20261231235950", "0101000003", datetime(2026, 12, 31, 16, 0, 3, tzinfo=UTC)),
        ("20261123120000", "1123120007", datetime(2026, 11, 23, 4, 0, 7, tzinfo=UTC)),
        ("20270101000010", "1231235958", datetime(2026, 12, 31, 15, 59, 58, tzinfo=UTC)),
        ("20261123120000", "", None),
        ("20261123120000", "9999999999", None),
        ("", "1123120007", None),
    ],
)
def test_the_year_of_a_trace_comes_from_the_order(begun: str, traced: str, found: datetime | None):
    assert finished_at({"txnTime": begun, "traceTime": traced}) == found


def test_text_is_cut_between_characters():
    assert plain_text("茶" * 20, bytes_max=32) == "茶" * 10
    assert plain_text("  a \n b  ", bytes_max=32) == "a b"
