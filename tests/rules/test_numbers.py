"""Public numbers."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.numbers import is_number, new_number

moments = st.integers(min_value=0, max_value=7 * 10**9).map(
    lambda s: datetime.fromtimestamp(s, UTC)
)


def test_a_number_is_its_prefix_and_26_characters_that_people_do_not_confuse():
    assert re.fullmatch(r"pay_[0-9a-hjkmnp-tv-z]{26}", new_number("pay_"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay_",
        "pay_1",
        "pay_\0",
        "evt_01arz3ndektsv4rrffq69g5fav",
        "pay_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "pay_01arz3ndektsv4rrffq69g5fav\n",
        "pay_01arz3ndektsv4rrffq69g5fau",
    ],
)
def test_what_has_another_shape_is_no_number(text):
    assert not is_number(text, "pay_")
    assert is_number(new_number("pay_"), "pay_")


def test_numbers_do_not_repeat_and_cannot_be_guessed_from_one_another():
    at = datetime(2026, 11, 23, tzinfo=UTC)
    numbers = [new_number("evt_", at=at) for _ in range(1000)]

    assert len({number[14:] for number in numbers}) == 1000


@given(moments, st.integers(min_value=1, max_value=10**12))
def test_a_later_number_sorts_after_an_earlier_one(at, millis):
    assert new_number("pay_", at=at) < new_number("pay_", at=at + timedelta(milliseconds=millis))


def test_a_number_is_a_ulid_in_lower_case():
    at = datetime(2016, 7, 30, 23, 54, 10, 259000, tzinfo=UTC)

    assert new_number("", at=at).startswith("01arz3ndek")
