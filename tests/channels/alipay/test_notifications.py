"""Notifications as bytes: what is authentic, what it means, and what is not believed."""

import base64
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.channels import signing
from payments.channels.alipay import Alipay
from payments.channels.alipay.gateway import AlipayGateway
from payments.channels.base import Connection, NotAuthentic, RefundState, TradeState
from payments.channels.http import GatewayHttp
from payments.channels.sandbox import keyring
from tests.channels.alipay.conftest import message

FIELDS = {
    "notify_id": "n1", "app_id": "2021", "seller_id": "2088", "out_trade_no": "att01",
    "trade_no": "2026112322001", "trade_status": "TRADE_SUCCESS", "total_amount": "88.80",
    "gmt_payment": "2026-11-23 10:00:00", "charset": "utf-8", "subject": "风筝",
}  # fmt: skip


@pytest.fixture(scope="module")
def pairs():
    return keyring.new_pair(), keyring.new_pair()


@pytest.fixture(scope="module")
def alipay(pairs):
    (ours, _), (_, theirs) = pairs
    credentials = {
        "app_id": "2021", "seller_id": "2088", "app_private_key": ours, "alipay_public_key": theirs,
    }  # fmt: skip
    connection = Connection(
        code="alipay", base_url="http://a", front_url="http://a", credentials=credentials
    )
    return Alipay().connect(connection, GatewayHttp())


@pytest.fixture(scope="module")
def key(pairs):
    return signing.private_key(pairs[1][0])


def signed(
    key: RSAPrivateKey,
    fields: dict[str, str],
    *,
    charset: str = "utf-8",
    leave_out_empty: bool = False,
) -> bytes:
    """A notification as Alipay writes it."""
    kept = {k: v for k, v in fields.items() if v or not leave_out_empty}
    text = "&".join(f"{k}={v}" for k, v in sorted(kept.items())).encode(charset)
    body = {**fields, "sign": signing.sign(key, text), "sign_type": "RSA2"}
    return urlencode(body, encoding=charset).encode()


def reason_of(alipay: AlipayGateway, body: bytes) -> str:
    with pytest.raises(NotAuthentic) as refusal:
        alipay.read(message(body))
    return refusal.value.reason


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(subject=texts, echo=texts, fen=st.integers(1, 10**10))
def test_what_was_signed_is_what_is_read(alipay, key, subject, echo, fen):
    fields = FIELDS | {
        "subject": subject,
        "passback_params": quote(echo),
        "total_amount": f"{fen // 100}.{fen % 100:02}",
    }
    told = alipay.read(message(signed(key, fields)))
    assert told.trade.amount.minor == fen
    assert (told.trade.merchant, told.trade.app) == ("2088", "2021")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_one_changed_byte_is_refused(alipay, key, data):
    body = bytearray(signed(key, FIELDS))
    at = data.draw(st.integers(0, len(body) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda b: b != body[at]))
    original, body[at] = bytes(body), new
    try:
        told = alipay.read(message(bytes(body)))
    except NotAuthentic:
        return
    # Another spelling of the same text (a%2Eb for a.b, or in sign_type, which is not signed).
    assert told == alipay.read(message(original))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_never_a_fault(alipay, noise):
    assert reason_of(alipay, noise) in {"unsigned", "unreadable", "bad_signature"}


@pytest.mark.parametrize("charset", ["gbk", "GBK", "gb2312", "GB18030", "UTF-8"])
def test_the_charset_named_in_the_message_is_used(alipay, key, charset):
    fields = FIELDS | {"charset": charset, "subject": "风筝+线&=", "seller_id": "2088"}
    assert alipay.read(message(signed(key, fields, charset=charset))).trade.merchant == "2088"


def test_an_unheard_of_charset_is_refused(alipay, key):
    fields = FIELDS | {"charset": "utf-7", "subject": "kite"}
    assert reason_of(alipay, signed(key, fields)) == "unreadable"
    broken = FIELDS | {"charset": "gbk"}
    assert alipay.read(message(signed(key, broken, charset="gbk"))).key == "n1"
    mixed = signed(key, FIELDS | {"charset": "utf-8"}, charset="gbk")
    assert reason_of(alipay, mixed) == "unreadable"


def test_empty_values_may_be_signed_or_left_out(alipay, key):
    fields = FIELDS | {"body": "", "out_biz_no": ""}
    for leave_out in (False, True):
        body = signed(key, fields, leave_out_empty=leave_out)
        assert alipay.read(message(body)).trade.state is TradeState.PAID


def test_unsigned_and_other_signatures_are_refused(alipay, key, pairs):
    assert reason_of(alipay, urlencode(FIELDS).encode()) == "unsigned"
    assert reason_of(alipay, signed(signing.private_key(pairs[0][0]), FIELDS)) == "bad_signature"
    old_kind = signed(key, FIELDS).replace(b"sign_type=RSA2", b"sign_type=RSA")
    assert reason_of(alipay, old_kind) == "bad_signature"


def test_a_repeated_field_is_refused(alipay, key):
    body = signed(key, FIELDS)
    assert reason_of(alipay, body + b"&total_amount=0.01") == "unreadable"
    assert reason_of(alipay, b"total_amoun%74=88.80&" + body) == "unreadable"


def test_a_plus_in_the_signature_survives(alipay, key):
    for number in range(50):
        body = signed(key, FIELDS | {"notify_id": f"n{number}"})
        if b"%2B" in body:
            assert alipay.read(message(body)).key == f"n{number}"
            assert reason_of(alipay, body.replace(b"%2B", b"+")) == "bad_signature"
            return
    pytest.fail("no signature held a plus")


def test_a_refund_is_not_a_second_payment(alipay, key):
    fields = FIELDS | {
        "refund_fee": "30.00", "out_biz_no": "ref01", "gmt_refund": "2026-11-23 11:00:00.123",
    }  # fmt: skip
    told = alipay.read(message(signed(key, fields)))
    assert told.trade is None
    assert (told.refund.number, told.refund.order_number) == ("ref01", "att01")
    assert told.refund.state is RefundState.SUCCEEDED
    assert told.refund.amount is None
    nameless = alipay.read(message(signed(key, fields | {"out_biz_no": ""})))
    assert (nameless.trade, nameless.refund) == (None, None)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("TRADE_SUCCESS", TradeState.PAID),
        ("TRADE_FINISHED", TradeState.PAID),
        ("TRADE_CLOSED", TradeState.CLOSED),
        ("WAIT_BUYER_PAY", TradeState.WAITING),
    ],
)
def test_states(alipay, key, status, state):
    trade = alipay.read(message(signed(key, FIELDS | {"trade_status": status}))).trade
    assert trade.state is state
    assert (trade.amount is None) is (state is not TradeState.PAID)


def test_an_authentic_message_that_makes_no_sense_is_unreadable(alipay, key):
    for change in (
        {"trade_status": "TRADE_NEW"}, {"total_amount": "1e3"}, {"total_amount": ""},
        {"notify_id": ""}, {"refund_fee": "x"},
    ):  # fmt: skip
        assert reason_of(alipay, signed(key, FIELDS | change)) == "unreadable"
    other_kind = alipay.read(message(signed(key, {"notify_id": "n9", "charset": "utf-8"})))
    assert (other_kind.trade, other_kind.refund) == (None, None)


def test_the_answer_is_exactly_seven_bytes(alipay):
    assert alipay.accept().body == b"success"
    assert alipay.accept().status == 200
    assert alipay.refuse("stale").body != b"success"


def test_a_signature_in_another_shape_is_refused(alipay, key):
    body = signed(key, FIELDS).decode()
    head, _, rest = body.partition("sign=")
    signature, _, tail = rest.partition("&")
    padded = f"{head}sign={signature}%0A&{tail}".encode()
    assert reason_of(alipay, padded) == "bad_signature"
    short = base64.b64encode(b"x").decode()
    assert reason_of(alipay, f"{head}sign={quote(short)}&{tail}".encode()) == "bad_signature"
