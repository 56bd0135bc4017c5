"""Numbers of the state and of banks: right ones, slips of the pen, and what no check can see."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc

from merchants.onboarding.formats import (
    Unfit,
    read_account_number,
    read_bank_code,
    read_card_number,
    read_credit_code,
    read_icp_number,
    read_identity_number,
    years_between,
)

TODAY = date(2026, 11, 23)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DIGITS = "0123456789"


def refused(read, typed, **more) -> str:
    """The code of the refusal, empty for a good one."""
    try:
        read(typed, **more)
    except Unfit as unfit:
        return unfit.code
    return ""


@st.composite
def credit_codes(draw):
    """Codes as registers give them out; the last check is the other hand's."""
    head = draw(st.sampled_from("159")) + draw(st.sampled_from(DIGITS))
    area = draw(st.sampled_from(["11", "35", "44", "10"])) + draw(
        st.text(DIGITS, min_size=4, max_size=4)
    )
    body = draw(st.text(DIGITS + "ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8))
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = -sum(int(one, 36) * weight for one, weight in zip(body, weights, strict=True)) % 11
    start = head + area + body + ("X" if rest == 10 else str(rest))
    return start + uscc.calc_check_digit(start)


@st.composite
def identity_numbers(draw):
    born = draw(st.dates(date(1920, 1, 1), date(2008, 1, 1)))
    area = draw(st.sampled_from(["110105", "440524", "350102", "810000", "830000"]))
    start = f"{area}{born:%Y%m%d}{draw(st.text(DIGITS, min_size=3, max_size=3))}"
    return start + ric.calc_check_digit(start + "0")


@st.composite
def card_numbers(draw):
    start = draw(st.text(DIGITS, min_size=12, max_size=18))
    return start + luhn.calc_check_digit(start)


def with_slip(draw, number, alphabet):
    """One character mistyped."""
    place = draw(st.integers(0, len(number) - 1))
    other = draw(st.sampled_from([one for one in alphabet if one != number[place]]))
    return number[:place] + other + number[place + 1 :]


def swapped(number: str, one: int, other: int) -> str:
    signs = list(number)
    signs[one], signs[other] = signs[other], signs[one]
    return "".join(signs)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("91350100M000100Y43", ""),
        ("91110102MA0179UA3A", ""),
        ("91350100M000100Y4Z", "credit_code_shape"),
        ("91350100M000100Y44", "credit_code_check"),
        ("91350100m000100y43", ""),
        ("９１３５０１００Ｍ０００１００Ｙ４３", ""),
        (" 9135 0100 M000\u3000100Y 43\ufeff", ""),
        ("91350100M000100Y4", "credit_code_shape"),
        ("91350100M000100Y433", "credit_code_shape"),
        ("91350100I000100Y43", "credit_code_shape"),
        ("91990100M000100Y43", "credit_code_area"),
        ("９１３５０１００Ｍ０００１００Ｙ４４", "credit_code_check"),
        ("٩١٣٥٠١٠٠M000100Y43", "credit_code_shape"),
        ("", "credit_code_shape"),
    ],
)
def test_credit_codes(typed, code):
    assert refused(read_credit_code, typed) == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("11010519491231002X", ""),
        ("11010519491231002x", ""),
        ("１１０１０５１９４９１２３１００２ｘ", ""),
        ("110105 19900307 1239", ""),
        ("440524188001010014", "identity_age"),
        ("110105199003071238", "identity_check"),
        ("110105199002311230", "identity_date"),
        ("110105199013011230", "identity_date"),
        ("990105199003071239", "identity_area"),
        ("11010519900307123", "identity_shape"),
        ("1101051990030712X9", "identity_shape"),
        ("110105900307123", "identity_shape"),
    ],
)
def test_identity_numbers(typed, code):
    assert refused(read_identity_number, typed, on=TODAY) == code


def test_a_small_x_is_kept_as_a_capital_one():
    assert read_identity_number("11010519491231002x", on=TODAY) == "11010519491231002X"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("4242424242424242", ""),
        ("6228480402564890018", ""),
        ("6228480402564890019", "card_check"),
        ("6228 4804 0256 4890 018", ""),
        ("6228-4804-0256-4890-018", ""),
        ("６２２８４８０４０２５６４８９００１８", ""),
        ("000000000000", "card_shape"),
        ("00000000000000000000", "card_shape"),
        ("622848040256489001a", "card_shape"),
        ("", "card_shape"),
    ],
)
def test_card_numbers(typed, code):
    assert refused(read_card_number, typed) == code


@pytest.mark.parametrize(
    ("read", "typed", "code"),
    [
        (read_account_number, "3500 1890-1234", ""),
        (read_account_number, "12345", "account_shape"),
        (read_account_number, "1" * 33, "account_shape"),
        (read_account_number, "IBAN123456", "account_shape"),
        (read_bank_code, "104391010016", ""),
        (read_bank_code, "１０４３９１０１００１６", ""),
        (read_bank_code, "10439101001", "bank_code_shape"),
        (read_icp_number, "京ICP备12345678号-1", ""),
        (read_icp_number, "京icp备12345678号", ""),
        (read_icp_number, "闽ICP备2021012345号-2A", ""),
        (read_icp_number, "京ICP证030173号", ""),
        (read_icp_number, "12345678", "icp_shape"),
        (read_icp_number, "京ICP备12号", "icp_shape"),
    ],
)
def test_other_numbers(read, typed, code):
    assert refused(read, typed) == code


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        (date(2008, 11, 23), date(2026, 11, 22), 17),
        (date(2008, 11, 23), date(2026, 11, 23), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 11, 23), date(2026, 11, 23), 0),
    ],
)
def test_years(born, on, years):
    assert years_between(born, on) == years


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (date(2026, 2, 28), "identity_age"),
        (date(2026, 3, 1), ""),
        (date(2129, 2, 28), ""),
        (date(2129, 3, 1), "identity_age"),
    ],
)
def test_whoever_was_born_on_29_february_is_of_age_on_1_march(on, code):
    start = "11010520080229001"
    number = start + ric.calc_check_digit(start + "0")
    assert refused(read_identity_number, number, on=on) == code


class TestAgainstAnotherHand:
    """python-stdnum was written by others from the same standards."""

    @given(credit_codes())
    def test_what_a_register_gives_out_is_read(self, code):
        assert uscc.is_valid(code)
        assert read_credit_code(code) == code

    @given(credit_codes(), st.sampled_from(DIGITS + "X"))
    def test_the_check_inside_is_looked_at_as_well(self, code, inner):
        """The other hand looks at the last character only."""
        start = code[:16] + inner
        assert uscc.is_valid(start + uscc.calc_check_digit(start))
        found = refused(read_credit_code, start + uscc.calc_check_digit(start))
        assert found == ("" if inner == code[16] else "credit_code_check")

    @given(st.data())
    def test_no_credit_code_is_read_that_the_other_refuses(self, data):
        code = with_slip(data.draw, data.draw(credit_codes()), ALPHABET)
        # The department in the first places may be a letter; the other hand wants digits there.
        assume(code[:2].isdigit())
        assert not (refused(read_credit_code, code) == "" and not uscc.is_valid(code))

    @given(identity_numbers())
    def test_identity_numbers_and_their_birthdays(self, number):
        assert ric.calc_check_digit(number) == number[-1]
        assert read_identity_number(number, on=TODAY) == number
        born = ric.get_birth_date(number)
        assert years_between(born, date(born.year + 18, 12, 31)) == 18

    @given(st.text(DIGITS, min_size=13, max_size=19))
    def test_any_card_number_is_judged_alike(self, number):
        assert (refused(read_card_number, number) == "") == luhn.is_valid(number)


class TestSlipsOfThePen:
    @given(st.data())
    def test_one_wrong_character_of_a_credit_code_is_found(self, data):
        code = with_slip(data.draw, data.draw(credit_codes()), ALPHABET)
        assert refused(read_credit_code, code)

    @given(st.data())
    def test_one_wrong_character_of_an_identity_number_is_found(self, data):
        number = with_slip(data.draw, data.draw(identity_numbers()), DIGITS + "X")
        assert refused(read_identity_number, number, on=TODAY)

    @given(st.data())
    def test_one_wrong_digit_of_a_card_is_found(self, data):
        number = with_slip(data.draw, data.draw(card_numbers()), DIGITS)
        assert refused(read_card_number, number) == "card_check"

    @given(credit_codes())
    def test_neighbours_changed_in_a_credit_code_are_found(self, code):
        for place, (one, other) in enumerate(pairwise(code)):
            if one != other:
                assert refused(read_credit_code, swapped(code, place, place + 1))

    @given(identity_numbers())
    def test_neighbours_changed_in_an_identity_number_are_found(self, number):
        for place, (one, other) in enumerate(pairwise(number)):
            if one != other:
                assert refused(read_identity_number, swapped(number, place, place + 1), on=TODAY)

    @given(card_numbers())
    def test_neighbours_changed_in_a_card_are_found_but_for_nought_and_nine(self, number):
        for place, (one, other) in enumerate(pairwise(number)):
            found = refused(read_card_number, swapped(number, place, place + 1))
            assert bool(found) == (one != other and {one, other} != {"0", "9"})


class TestWhatNoCheckCanSee:
    """These pass with every platform that goes by the standards: people look at the papers."""

    def test_a_card_with_nought_and_nine_changed(self):
        number = "622848090256489" + luhn.calc_check_digit("622848090256489")
        assert not refused(read_card_number, swapped(number, 6, 7))

    def test_a_card_with_the_digits_beside_a_neighbour_changed(self):
        number = "622848040256489" + luhn.calc_check_digit("622848040256489")
        assert number[2] != number[4] or number[3] != number[5]
        assert not refused(read_card_number, swapped(number, 3, 5))

    def test_a_card_with_twins_mistyped(self):
        number = "622822040256489" + luhn.calc_check_digit("622822040256489")
        assert not refused(read_card_number, number.replace("2204", "5504"))

    def test_an_identity_number_with_digits_changed_that_stand_ten_places_apart(self):
        start = "11010519900307123"
        number = start + ric.calc_check_digit(start + "0")
        # Weights repeat after ten places: the powers of two, modulo eleven.
        found = [
            place
            for place in range(8)
            if number[place] != number[place + 10]
            and not refused(read_identity_number, swapped(number, place, place + 10), on=TODAY)
        ]
        assert found == [1, 3, 4, 5]

    def test_a_credit_code_with_its_ends_changed(self):
        # The first and the check digit both weigh one.
        assert not refused(read_credit_code, swapped("91350100M000100Y43", 0, 17))
