"""Money never gains or loses a fen, and never becomes a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.errors import CurrencyMismatch, CurrencyUnknown, MoneyMalformed
from payments.money import EXPONENTS, Money

currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(min_value=-(10**15), max_value=10**15)


@given(minors, currencies)
def test_a_gateways_decimal_text_reads_back_as_the_same_money(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(money.decimal, currency) == money


@given(minors, currencies, st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_split_gives_away_everything_and_nothing_more(minor, currency, weights):
    money = Money(minor, currency)
    if not any(weights):
        with pytest.raises(MoneyMalformed):
            money.split(weights)
        return
    shares = money.split(weights)
    assert sum(share.minor for share in shares) == minor
    exact = [Decimal(minor) * w / sum(weights) for w in weights]
    assert all(abs(share.minor - e) < 1 for share, e in zip(shares, exact, strict=True))


@given(minors, minors, currencies)
def test_sums_and_order_follow_the_integers(a, b, currency):
    left, right = Money(a, currency), Money(b, currency)
    assert (left + right).minor == a + b
    assert (left - right) == left + -right
    assert (left < right) == (a < b)
    assert (left >= right) == (a >= b)


@pytest.mark.parametrize("text", ["", "1.005", "1e3", " 1", "١", "0x10", "1,000", "NaN", "--1"])
def test_what_is_not_an_amount_is_refused(text):
    with pytest.raises(MoneyMalformed):
        Money.parse(text)


@pytest.mark.parametrize("value", [1.0, True, "100", None, Decimal(1)])
def test_only_an_integer_counts_minor_units(value):
    with pytest.raises(MoneyMalformed):
        Money(value)


def test_equal_texts_of_different_length_are_equal_money():
    assert Money.parse("88.8") == Money.parse("88.80") == Money(8880)


def test_two_currencies_never_meet():
    with pytest.raises(CurrencyMismatch):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(CurrencyUnknown):
        Money(1, "XXX")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(12800), "¥128.00"),
        (Money(-5), "-¥0.05"),
        (Money(123456789), "¥1,234,567.89"),
        (Money(1200, "HKD"), "HKD 12.00"),
        (Money(500, "KRW"), "KRW 500"),
    ],
)
def test_people_read_signs_groups_and_all_places(money, text):
    assert money.text == text
