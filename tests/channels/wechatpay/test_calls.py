"""What each answer of WeChat Pay's means for an order, a close and a refund."""

from datetime import timedelta

import httpx
import pytest

from payments.channels.base import (
    Done,
    QrCode,
    Redirect,
    RefundState,
    Rejected,
    TradeState,
    Unknown,
)
from payments.channels.sandbox.wechatpay import wire
from payments.channels.sandbox.wechatpay.wire import KeyMode
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.money import Money
from tests.channels.wechatpay.scene import (
    NOW,
    Keys,
    Script,
    answer,
    connect,
    credentials,
    key_of,
    order,
    refund_of,
    trade,
)

CODE = {"code_url": "weixin://wxpay/bizpayurl?pr=NwY5Mz9"}


def talk(keys: Keys, *answers: httpx.Response | Exception) -> tuple[WeChatPayGateway, Script]:
    """A gateway that will get these answers."""
    script = Script(list(answers))
    return connect(credentials(keys), script.transport), script


def no(keys: Keys, status: int, code: str) -> httpx.Response:
    """A signed error."""
    return answer(keys, status, {"code": code, "message": "理由", "detail": {"issue": "sign"}})


def refund(**changes: object) -> dict[str, object]:
    """A refund as an answer shows it."""
    told: dict[str, object] = {
        "refund_id": "5030002611230400000000000001",
        "out_refund_no": "RF20261123LIN01",
        "transaction_id": "4200002611230400000000000001",
        "out_trade_no": "20261123LIN0001",
        "status": "PROCESSING",
        "amount": {"total": 8880, "refund": 880, "payer_refund": 870, "currency": "CNY"},
    }
    return told | changes


def test_a_desktop_gets_a_code_to_scan(keys: Keys) -> None:
    gateway, script = talk(keys, answer(keys, 200, CODE))

    shown = gateway.open(order())

    assert shown == Done(QrCode(content=CODE["code_url"], expires_at=NOW + timedelta(minutes=30)))
    assert script.bodies() == [
        {
            "appid": keys["appid"],
            "mchid": keys["mchid"],
            "description": "明前龙井 50g",
            "out_trade_no": "20261123LIN0001",
            "time_expire": "2026-11-23T04:30:00+00:00",
            "attach": "pay_01jd0000000000000000000001",
            "notify_url": "https://pay.example.cn/notify/wechat/",
            "amount": {"total": 8880, "currency": "CNY"},
        }
    ]
    headers = script.asked[0].headers
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"]
    assert headers["Wechatpay-Serial"] == keys["platform_public_key_id"]


def test_a_code_is_never_promised_for_longer_than_the_gateways_two_hours(keys: Keys) -> None:
    gateway, _ = talk(keys, answer(keys, 200, CODE))

    shown = gateway.open(order(expires_at=NOW + timedelta(days=3)))

    assert isinstance(shown, Done)
    assert isinstance(shown.value, QrCode)
    assert shown.value.expires_at == NOW + timedelta(hours=2)


def test_a_phone_is_sent_to_wechat_and_told_where_to_come_back_to(keys: Keys) -> None:
    url = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2"
    gateway, script = talk(keys, answer(keys, 200, {"h5_url": url}))

    shown = gateway.open(order("h5"))

    back = "https%3A%2F%2Fshop.example.cn%2Fdone%3Forder%3D7%26from%3Dpay"
    assert shown == Done(Redirect(url=f"{url}&redirect_url={back}"))
    assert script.asked[0].url.path == "/v3/pay/transactions/h5"
    assert script.bodies()[0]["scene_info"] == {
        "payer_client_ip": "203.0.113.7",
        "h5_info": {"type": "Wap"},
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://wx.tenpay.com/x", ""])
def test_a_phone_is_not_sent_just_anywhere(keys: Keys, url: str) -> None:
    gateway, _ = talk(keys, answer(keys, 200, {"h5_url": url}))

    assert gateway.open(order("h5")) == Unknown(reason="unreadable")


def test_a_certificate_only_merchant_leaves_the_key_to_the_gateway(keys: Keys) -> None:
    script = Script([answer(keys, 200, CODE, mode=KeyMode.CERTIFICATE)])
    held = credentials(keys)
    del held["platform_public_key"], held["platform_public_key_id"]

    shown = connect(held, script.transport).open(order())

    assert isinstance(shown, Done)
    assert "Wechatpay-Serial" not in script.asked[0].headers


def test_a_product_we_do_not_speak_is_a_mistake_in_the_program(gateway: WeChatPayGateway) -> None:
    with pytest.raises(ValueError, match="no such product"):
        gateway.open(order("jsapi"))


def test_only_an_answer_that_is_proven_is_believed(keys: Keys, other_keys: Keys) -> None:
    old, soon = NOW - timedelta(seconds=301), NOW + timedelta(seconds=301)
    probe = answer(keys, 200, CODE)
    probe.headers["Wechatpay-Signature"] = wire.PROBE + "AAAA"
    renamed = answer(keys, 200, CODE)
    renamed.headers["Wechatpay-Serial"] = "ABCDEF"
    cases = {
        "unsigned": httpx.Response(200, json=CODE),
        "bad_signature": answer(other_keys, 200, CODE),
        "stale": answer(keys, 200, CODE, at=old),
        "probe": probe,
        "unknown_key": renamed,
        "http_502": httpx.Response(502, html="<h1>Bad gateway</h1>"),
        "http_404": httpx.Response(404, json={"code": "ORDER_NOT_EXIST"}),
        "http_202": answer(keys, 202, {}),
        "http_302": answer(keys, 302, {}),
        "unreadable": answer(keys, 200, {"code_url": None}),
    }

    for reason, given in cases.items():
        gateway, _ = talk(keys, given)
        assert gateway.open(order()) == Unknown(reason=reason)
    gateway, _ = talk(keys, answer(keys, 200, CODE, at=soon))
    assert gateway.open(order()) == Unknown(reason="stale")
    gateway, _ = talk(keys, no(other_keys, 403, "RULE_LIMIT"))
    assert gateway.open(order()) == Unknown(reason="bad_signature")


@pytest.mark.parametrize(
    ("silence", "outcome"),
    [
        (httpx.ConnectError("refused"), Unknown(reason="connect", was_sent=False)),
        (httpx.ReadTimeout("slow"), Unknown(reason="timeout")),
        (httpx.ReadError("gone"), Unknown(reason="reset")),
    ],
)
def test_silence_is_unknown(keys: Keys, silence: Exception, outcome: Unknown) -> None:
    asked = order()
    gateway, _ = talk(keys, *[silence] * 5)

    assert gateway.open(asked) == outcome
    assert gateway.query(key_of(asked)) == outcome
    assert gateway.close(key_of(asked)) == outcome
    assert gateway.refund(refund_of(asked, 880)) == outcome
    assert gateway.query_refund(refund_of(asked, 880)) == outcome


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (500, "SYSTEM_ERROR", Unknown(reason="SYSTEM_ERROR")),
        (500, "BANK_ERROR", Unknown(reason="BANK_ERROR")),
        (503, "SERVICE_UNAVAILABLE", Unknown(reason="SERVICE_UNAVAILABLE")),
        (400, "SYSTEM_ERROR", Unknown(reason="SYSTEM_ERROR")),
        (429, "FREQUENCY_LIMITED", Unknown(reason="FREQUENCY_LIMITED")),
        (401, "SIGN_ERROR", Rejected(code="SIGN_ERROR", message="理由", is_our_fault=True)),
        (403, "NO_AUTH", Rejected(code="NO_AUTH", message="理由", is_our_fault=True)),
        (404, "MCH_NOT_EXISTS", Rejected(code="MCH_NOT_EXISTS", message="理由", is_our_fault=True)),
        (403, "RULE_LIMIT", Rejected(code="RULE_LIMIT", message="理由")),
        (403, "TRADE_ERROR", Rejected(code="TRADE_ERROR", message="理由")),
        (400, "", Unknown(reason="unreadable")),
    ],
)
def test_a_signed_error_is_final_only_when_it_says_so(
    keys: Keys, status: int, code: str, outcome: Rejected | Unknown
) -> None:
    gateway, _ = talk(keys, no(keys, status, code))

    assert gateway.open(order()) == outcome


@pytest.mark.parametrize("code", ["ORDERPAID", "OUT_TRADE_NO_USED", "INVALID_REQUEST"])
@pytest.mark.parametrize("state", ["SUCCESS", "NOTPAY"])
def test_an_order_that_is_there_already_is_never_called_refused(
    keys: Keys, code: str, state: str
) -> None:
    there = answer(keys, 200, trade(keys, trade_state=state))
    gateway, script = talk(keys, no(keys, 403, code), there)

    assert gateway.open(order()) == Unknown(reason=code)
    assert script.asked[1].url.path.endswith("/out-trade-no/20261123LIN0001")


@pytest.mark.parametrize(
    ("code", "found", "outcome"),
    [
        ("INVALID_REQUEST", "missing", Rejected(code="INVALID_REQUEST", message="理由")),
        ("PARAM_ERROR", "missing", Rejected(code="PARAM_ERROR", message="理由")),
        ("ORDER_CLOSED", "closed", Rejected(code="ORDER_CLOSED", message="理由")),
        ("OUT_TRADE_NO_USED", "missing", Unknown(reason="OUT_TRADE_NO_USED")),
        ("OUT_TRADE_NO_USED", "forbidden", Unknown(reason="OUT_TRADE_NO_USED")),
        ("ORDERPAID", "silence", Unknown(reason="timeout")),
    ],
)
def test_a_refused_repeat_is_judged_by_what_is_there(
    keys: Keys, code: str, found: str, outcome: Rejected | Unknown
) -> None:
    answers: dict[str, httpx.Response | Exception] = {
        "missing": no(keys, 404, "ORDER_NOT_EXIST"),
        "closed": answer(keys, 200, trade(keys, trade_state="CLOSED")),
        "forbidden": no(keys, 403, "NO_AUTH"),
        "silence": httpx.ReadTimeout("slow"),
    }
    gateway, _ = talk(keys, no(keys, 400, code), answers[found])

    assert gateway.open(order()) == outcome


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("NOTPAY", TradeState.WAITING),
        ("USERPAYING", TradeState.WAITING),
        ("PAYERROR", TradeState.WAITING),
        ("SUCCESS", TradeState.PAID),
        ("REFUND", TradeState.PAID),
        ("CLOSED", TradeState.CLOSED),
        ("REVOKED", TradeState.CLOSED),
    ],
)
def test_every_state_of_an_order_has_one_meaning(
    keys: Keys, state: str, meaning: TradeState
) -> None:
    gateway, _ = talk(keys, answer(keys, 200, trade(keys, trade_state=state)))

    found = gateway.query(key_of(order()))

    assert isinstance(found, Done)
    assert found.value.state is meaning
    assert found.value.amount == (Money(8880) if meaning is TradeState.PAID else None)


def test_an_order_that_is_not_there_may_still_arrive(keys: Keys) -> None:
    gateway, _ = talk(keys, no(keys, 404, "ORDER_NOT_EXIST"))

    found = gateway.query(key_of(order()))

    assert isinstance(found, Done)
    assert found.value.state is TradeState.WAITING


def test_an_answer_about_another_order_is_not_an_answer(keys: Keys) -> None:
    gateway, _ = talk(
        keys,
        answer(keys, 200, trade(keys, out_trade_no="20261123LIN0002")),
        answer(keys, 200, refund(out_refund_no="RF20261123LIN02")),
        answer(keys, 200, refund(out_trade_no="20261123LIN0002")),
    )

    assert gateway.query(key_of(order())) == Unknown(reason="unreadable")
    assert gateway.query_refund(refund_of(order(), 880)) == Unknown(reason="unreadable")
    assert gateway.query_refund(refund_of(order(), 880)) == Unknown(reason="unreadable")


def test_a_close_without_a_body_is_verified_like_any_answer(keys: Keys) -> None:
    gateway, script = talk(keys, answer(keys, 204, None), httpx.Response(204))

    closed = gateway.close(key_of(order()))
    forged = gateway.close(key_of(order()))

    assert isinstance(closed, Done)
    assert closed.value.state is TradeState.CLOSED
    assert script.bodies()[0] == {"mchid": keys["mchid"]}
    assert forged == Unknown(reason="unsigned")


@pytest.mark.parametrize("code", ["ORDER_CLOSED", "ORDERCLOSED", "ORDER_NOT_EXIST"])
def test_closing_what_cannot_be_paid_is_done(keys: Keys, code: str) -> None:
    gateway, script = talk(keys, no(keys, 400, code))

    closed = gateway.close(key_of(order()))

    assert isinstance(closed, Done)
    assert closed.value.state is TradeState.CLOSED
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ORDERPAID"), (429, "FREQUENCY_LIMITED"), (403, "TRADE_ERROR")]
)
def test_a_customer_who_was_faster_than_the_close_has_paid(
    keys: Keys, status: int, code: str
) -> None:
    gateway, _ = talk(keys, no(keys, status, code), answer(keys, 200, trade(keys)))

    closed = gateway.close(key_of(order()))

    assert isinstance(closed, Done)
    assert closed.value.state is TradeState.PAID
    assert closed.value.amount == Money(8880)


def test_a_close_that_did_not_happen_is_never_done(keys: Keys) -> None:
    waiting = answer(keys, 200, trade(keys, trade_state="USERPAYING"))
    busy, _ = talk(keys, no(keys, 429, "FREQUENCY_LIMITED"), waiting)
    barred, _ = talk(keys, no(keys, 401, "SIGN_ERROR"))
    broken, _ = talk(keys, no(keys, 500, "SYSTEM_ERROR"))

    assert busy.close(key_of(order())) == Unknown(reason="FREQUENCY_LIMITED")
    assert isinstance(barred.close(key_of(order())), Rejected)
    assert broken.close(key_of(order())) == Unknown(reason="SYSTEM_ERROR")


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("PROCESSING", RefundState.PROCESSING),
        ("ABNORMAL", RefundState.PROCESSING),
        ("SUCCESS", RefundState.SUCCEEDED),
        ("CLOSED", RefundState.FAILED),
    ],
)
def test_every_state_of_a_refund_has_one_meaning(
    keys: Keys, state: str, meaning: RefundState
) -> None:
    told = refund(status=state, success_time="2026-11-23T12:00:00+08:00")
    gateway, script = talk(keys, answer(keys, 200, told))

    asked = gateway.refund(refund_of(order(), 880))

    assert isinstance(asked, Done)
    assert asked.value.state is meaning
    assert asked.value.amount == Money(880)
    assert asked.value.merchant == keys["mchid"]
    assert script.bodies() == [
        {
            "out_trade_no": "20261123LIN0001",
            "out_refund_no": "RF20261123LIN01",
            "notify_url": "https://pay.example.cn/notify/wechat/",
            "amount": {"refund": 880, "total": 8880, "currency": "CNY"},
            "reason": "少发了一罐",
        }
    ]


def test_a_refused_refund_counts_only_when_there_is_none(keys: Keys) -> None:
    refused = no(keys, 403, "NOT_ENOUGH")
    none, _ = talk(keys, refused, no(keys, 404, "RESOURCE_NOT_EXISTS"))
    done, _ = talk(keys, no(keys, 400, "INVALID_REQUEST"), answer(keys, 200, refund()))
    silent, _ = talk(keys, no(keys, 400, "INVALID_REQUEST"), httpx.ReadTimeout("slow"))
    barred, script = talk(keys, no(keys, 403, "NO_AUTH"))

    assert none.refund(refund_of(order(), 880)) == Rejected(code="NOT_ENOUGH", message="理由")
    assert isinstance(done.refund(refund_of(order(), 880)), Done)
    assert silent.refund(refund_of(order(), 880)) == Unknown(reason="timeout")
    assert isinstance(barred.refund(refund_of(order(), 880)), Rejected)
    assert len(script.asked) == 1


def test_a_refused_question_says_nothing_about_the_refund(keys: Keys) -> None:
    gateway, _ = talk(keys, no(keys, 401, "SIGN_ERROR"), no(keys, 404, "RESOURCE_NOT_EXISTS"))

    assert gateway.query_refund(refund_of(order(), 880)) == Unknown(reason="SIGN_ERROR")
    assert isinstance(gateway.query_refund(refund_of(order(), 880)), Rejected)
