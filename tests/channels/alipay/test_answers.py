"""Answers of the gateway as bytes: what is believed, and what is not."""

import json

import httpx
import pytest

from payments.channels import signing
from payments.channels.alipay import Alipay
from payments.channels.base import Done, RefundState, Rejected, TradeState, Unknown
from payments.channels.http import GatewayHttp
from tests.channels.alipay.conftest import ask_for, key_of

QUERY = "alipay_trade_query_response"


@pytest.fixture
def answering(connection):
    """A channel whose gateway answers with the given bytes, one after the other."""

    def connect(*bodies, status=200):
        answers = iter(bodies)
        transport = httpx.MockTransport(lambda _: httpx.Response(status, content=next(answers)))
        return Alipay().connect(connection, GatewayHttp(transport=transport))

    return connect


@pytest.fixture
def signed(keys):
    """A body with a node's raw text, signed by Alipay."""

    def write(raw, *, name=QUERY, shape='{{"{name}":{raw},"sign":"{sign}"}}'):
        sign = signing.sign(signing.private_key(keys["gateway_private"]), raw.encode())
        return shape.format(name=name, raw=raw, sign=sign).encode()

    return write


def paid(**more: str) -> dict[str, str]:
    return {
        "code": "10000", "msg": "Success", "out_trade_no": "att01", "trade_no": "2026",
        "trade_status": "TRADE_SUCCESS", "total_amount": "88.80", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        (
            '{ "code":"10000" ,"out_trade_no":"att01","trade_status":"TRADE_SUCCESS",\n'
            '"total_amount":"88.8","x":"http:\\/\\/a\\/b"}'
        ),
        (
            '{"total_amount":"88.80","x":"}{\\"","trade_status":"TRADE_SUCCESS","code":"10000",'
            '"out_trade_no":"att01","y":{"z":[1,{"sign":"no"}]}}'
        ),
        (
            '{"code":"10000","out_trade_no":"att01","trade_status":"TRADE_FINISHED",'
            '"total_amount":"88.80","subject":"\\u98ce筝\U0001f409"}'
        ),
    ],
)
@pytest.mark.parametrize(
    "shape",
    [
        '{{"{name}":{raw},"sign":"{sign}"}}',
        '{{"sign":"{sign}","{name}":{raw}}}',
        ' {{ "alipay_cert_sn" : "x" , "sign"\t:"{sign}",\n"{name}" : {raw} }} ',
    ],
)
def test_the_signed_text_is_found_as_it_was_sent(answering, signed, order, raw, shape):
    alipay = answering(signed(raw, shape=shape))
    trade = alipay.query(key_of(order())).value
    assert (trade.state, trade.amount.minor) == (TradeState.PAID, 8880)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", b"<html>", b"{", b'{"sign":"x"', b'{"a":1,}', b'{,"a":1}',
        b'{"sign":"x","sign":"y"}', b"\xff\xfe", b'{"alipay_trade_query_response":1,"sign":"x"}',
        b'{"alipay_trade_query_response":{},"error_response":{},"sign":"x"}',
        b'{"alipay_trade_query_response":{},"alipay_trade_query_response":{},"sign":"x"}',
        b'{"alipay_trade_query_response":{"code":NaN},"sign":"x"}',
        b'{"alipay_trade_query_response":{"code":"1","code":"2"},"sign":"x"}',
        b'{"alipay_trade_query_response":{},"sign":5}', b'{"alipay_trade_query_response":{}}x',
        b"{1:2}", b"[" * 100_000,
    ],
)  # fmt: skip
def test_bytes_that_are_no_answer_decide_nothing(answering, order, body):
    assert answering(body).query(key_of(order())) == Unknown(reason="unreadable")


def test_a_second_node_cannot_hide_behind_a_signed_one(answering, signed, order):
    true = json.dumps(paid(trade_status="WAIT_BUYER_PAY"))
    lie = json.dumps(paid())
    shape = (
        '{{"{name}":'
        + lie.replace("{", "{{").replace("}", "}}")
        + ',"{name}":{raw},"sign":"{sign}"}}'
    )
    assert answering(signed(true, shape=shape)).query(key_of(order())) == Unknown(
        reason="unreadable"
    )


def test_a_changed_answer_is_not_believed(answering, signed, order):
    body = signed(json.dumps(paid())).replace(b"88.80", b"88.81")
    assert answering(body).query(key_of(order())) == Unknown(reason="bad_signature")


def test_an_answer_signed_by_a_stranger_is_not_believed(answering, order, keys):
    raw = json.dumps(paid())
    sign = signing.sign(signing.private_key(keys["merchant_private"]), raw.encode())
    body = f'{{"{QUERY}":{raw},"sign":"{sign}"}}'.encode()
    assert answering(body).query(key_of(order())) == Unknown(reason="bad_signature")


def test_unsigned_answers_decide_nothing_about_money(answering, order):
    success = json.dumps({QUERY: paid()}).encode()
    assert answering(success).query(key_of(order())) == Unknown(reason="unsigned:10000")
    error = json.dumps(
        {"error_response": {"code": "40002", "sub_code": "isv.invalid-app-id"}}
    ).encode()
    reason = "unsigned:isv.invalid-app-id"
    assert answering(error).refund(ask_for(order(), 1)) == Unknown(reason=reason)
    assert answering(error).open(order()) == Unknown(reason=reason)
    odd = json.dumps({"error_response": {"sub_code": "<script>"}}).encode()
    assert answering(odd).open(order()) == Unknown(reason="unsigned")


def test_an_answer_about_another_order_is_no_answer(answering, signed, order):
    body = signed(json.dumps(paid(out_trade_no="att02")))
    assert answering(body).query(key_of(order())) == Unknown(reason="unreadable")


@pytest.mark.parametrize(
    ("code", "sub_code", "outcome"),
    [
        ("20000", "isp.unknow-error", Unknown(reason="isp.unknow-error")),
        ("20000", "aop.unknow-error", Unknown(reason="aop.unknow-error")),
        ("10003", "", Unknown(reason="10003")),
        ("40004", "ACQ.SYSTEM_ERROR", Unknown(reason="ACQ.SYSTEM_ERROR")),
        ("40004", "aop.ACQ.SYSTEM_ERROR", Unknown(reason="aop.ACQ.SYSTEM_ERROR")),
        ("40004", "", Unknown(reason="40004")),
        ("99999", "new.thing", Unknown(reason="new.thing")),
        ("", "", Unknown(reason="")),
        ("40002", "isv.invalid-signature",
         Rejected(code="isv.invalid-signature", message="m", is_our_fault=True)),
        ("40006", "isv.insufficient-isv-permissions",
         Rejected(code="isv.insufficient-isv-permissions", message="m", is_our_fault=True)),
        ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH",
         Rejected(code="ACQ.SELLER_BALANCE_NOT_ENOUGH", message="m")),
    ],
)  # fmt: skip
def test_each_code_has_its_outcome(answering, signed, order, code, sub_code, outcome):
    node = json.dumps({"code": code, "sub_code": sub_code, "sub_msg": "m"})
    body = signed(node, name="alipay_trade_refund_response")
    assert answering(body).refund(ask_for(order(), 1)) == outcome


def test_code_10000_alone_is_no_proof_of_a_refund(answering, signed, order):
    accepted = {"code": "10000", "out_trade_no": "att01", "fund_change": "N", "refund_fee": "1.00"}
    first = signed(json.dumps(accepted), name="alipay_trade_refund_response")
    query = "alipay_trade_fastpay_refund_query_response"
    empty = signed('{"code":"10000","msg":"Success"}', name=query)
    assert answering(first, empty).refund(ask_for(order(), 100)).value.state is (
        RefundState.PROCESSING
    )
    found = {
        "code": "10000", "out_trade_no": "att01", "out_request_no": "ref01",
        "refund_amount": "1.00", "refund_status": "REFUND_SUCCESS",
    }  # fmt: skip
    known = signed(json.dumps(found), name=query)
    assert answering(first, known).refund(ask_for(order(), 100)).value.state is (
        RefundState.SUCCEEDED
    )
    other = signed(json.dumps(found | {"out_request_no": "ref02"}), name=query)
    assert answering(other).query_refund(ask_for(order(), 100)) == Unknown(reason="unreadable")


def test_an_order_closed_without_payment_is_closed(answering, signed, order):
    closed = paid(trade_status="TRADE_CLOSED", receipt_amount="0.00")
    trade = answering(signed(json.dumps(closed))).query(key_of(order()))
    assert isinstance(trade, Done)
    assert (trade.value.state, trade.value.amount) == (TradeState.CLOSED, None)


def test_an_amount_that_is_none_is_not_guessed(answering, signed, order):
    body = signed(json.dumps(paid(total_amount="88.801")))
    assert answering(body).query(key_of(order())) == Unknown(reason="unreadable")


@pytest.mark.parametrize("status", [301, 302, 400, 403, 502, 504])
def test_any_other_http_status_decides_nothing(answering, signed, order, status):
    alipay = answering(signed(json.dumps(paid())), status=status)
    assert alipay.query(key_of(order())) == Unknown(reason=f"http_{status}")
