"""What a merchant may ask for, and what is said about everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.acquiring.asking import AskInvalid, PaymentAsk, read_payment_ask
from payments.money import Money

METHODS = frozenset({"alipay", "wechatpay", "unionpay"})
TEA = {"merchant_order_no": "T1", "amount": 12800, "currency": "CNY", "subject": "明前龙井"}


def read(**changes) -> PaymentAsk:
    data = {k: v for k, v in {**TEA, **changes}.items() if v is not ...}
    return read_payment_ask(data, known_methods=METHODS, plain_http=False)


def codes(**changes) -> dict[str, str]:
    with pytest.raises(AskInvalid) as refusal:
        read(**changes)
    return {error.field: error.code for error in refusal.value.errors}


def test_a_good_ask_is_read_whole():
    ask = read(methods=["wechatpay", "alipay"], expires_in=600, metadata={"k": ["v"]})
    assert ask.amount == Money(12800)
    assert ask.methods == ("wechatpay", "alipay")
    assert ask.expires_in == 600


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("amount", ..., "required"), ("amount", None, "required"),
        ("amount", -1, "amount_not_positive"), ("amount", 0, "amount_not_positive"),
        ("amount", 1.5, "amount_malformed"), ("amount", "100", "amount_malformed"),
        ("amount", True, "amount_malformed"), ("amount", 10**18, "amount_too_large"),
        ("currency", "XXX", "currency_unknown"), ("currency", "cny", "currency_unknown"),
        ("currency", 156, "currency_unknown"), ("currency", "USD", "currency_unsupported"),
        ("currency", ..., "required"),
        ("subject", "x" * 5000, "too_long"), ("subject", "a\x00b", "control_characters"),
        ("subject", "a\nb", "control_characters"), ("subject", "  ", "required"),
        ("subject", "\ud800", "control_characters"), ("subject", 5, "not_text"),
        ("merchant_order_no", "", "order_no_malformed"),
        ("merchant_order_no", "x" * 65, "order_no_malformed"),
        ("merchant_order_no", "a b", "order_no_malformed"),
        ("merchant_order_no", "订单", "order_no_malformed"),
        ("methods", ["cash"], "method_unknown"), ("methods", "alipay", "method_unknown"),
        ("expires_in", 5, "out_of_range"), ("expires_in", 10**9, "out_of_range"),
        ("expires_in", "60", "not_an_integer"),
        ("return_url", "javascript:alert(1)", "url_malformed"),
        ("return_url", "http://shop.example/", "url_not_https"),
        ("return_url", "https://user:pw@shop.example/", "url_malformed"),
        ("return_url", "https:///nohost", "url_malformed"),
        ("return_url", "https://shop.example\\@evil.example/", "url_malformed"),
        ("return_url", "//shop.example/", "url_not_https"),
        ("callback_url", "ftp://shop.example/", "url_not_https"),
        ("customer", [], "not_an_object"), ("metadata", {"k": "x" * 5000}, "too_long"),
        ("metadata", {"k": "\x00"}, "control_characters"),
        ("state", "paid", "unknown_field"), ("livemode", True, "unknown_field"),
    ],
)  # fmt: skip
def test_each_bad_field_has_its_code(field, value, code):
    assert codes(**{field: value}) == {field: code}


def test_all_errors_are_told_at_once():
    found = codes(amount=-1, currency="XXX", subject="", colour="red")
    assert set(found) == {"amount", "currency", "subject", "colour"}


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_a_body_that_is_no_object(data):
    with pytest.raises(AskInvalid) as refusal:
        read_payment_ask(data, known_methods=METHODS, plain_http=False)
    assert refusal.value.errors[0].code == "not_an_object"


def test_emoji_in_a_subject_are_welcome():
    assert read(subject="🍵 茶").subject == "🍵 茶"


@given(
    st.dictionaries(
        st.sampled_from([*TEA, "methods", "expires_in", "x"]),
        st.none() | st.text() | st.integers() | st.floats() | st.lists(st.text()),
    )
)
def test_any_object_is_read_or_refused_with_codes(data):
    try:
        ask = read_payment_ask(data, known_methods=METHODS, plain_http=False)
        codes_found = ["read"] if ask.amount > Money(0) else [""]
    except AskInvalid as refusal:
        codes_found = [error.code for error in refusal.errors]
    assert codes_found
    assert all(codes_found)


def test_the_fingerprint_tells_a_repeat_from_another_order():
    assert read().fingerprint() == read().fingerprint()
    others = [
        read(amount=12801),
        read(subject="红茶"),
        read(metadata={"a": 1}),
        read(expires_in=60),
    ]
    assert len({ask.fingerprint() for ask in [read(), *others]}) == 5
