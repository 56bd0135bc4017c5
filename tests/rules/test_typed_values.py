"""What is typed into an application, and what is read of it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.onboarding.formats import Unfit
from merchants.onboarding.sections import (
    ROWS_MAX,
    SECTIONS,
    Fault,
    Field,
    Section,
    read_section,
    sections_for,
)
from merchants.onboarding.values import (
    FOREVER,
    LONG_TERM,
    begin_day,
    day,
    email,
    end_day,
    line,
    mobile,
    share,
    text,
    web_address,
    whole_yuan,
)
from merchants.onboarding.words import FAULTS

TODAY = date(2026, 11, 23)
TURNED = "\u202e"
"""Shows what follows it from right to left."""


@pytest.mark.parametrize(
    ("read", "typed", "value"),
    [
        (day, "2028-02-29", date(2028, 2, 29)),
        (end_day, "2026-11-23", TODAY),
        (end_day, LONG_TERM, FOREVER),
        (end_day, "9999-12-31", FOREVER),
        (begin_day, "2026-11-23", TODAY),
        (share, "25", Decimal(25)),
        (share, "33.33%", Decimal("33.33")),
        (share, "２５．５ ％", Decimal("25.5")),
        (share, "100.00", Decimal(100)),
        (share, "0.01", Decimal("0.01")),
        (whole_yuan, "1,234,567", 1_234_567),
        (whole_yuan, "５００００", 50_000),
        (whole_yuan, "0", 0),
        (mobile, "+86 138-0013-8000", "13800138000"),
        (mobile, "１３８００１３８０００", "13800138000"),
        (email, "lin@tea.example", "lin@tea.example"),
        (email, "林岚@茶.中国", "林岚@茶.中国"),
        (web_address, "https://tea.example/shop?id=1", "https://tea.example/shop?id=1"),
        (web_address, "HTTP://tea.example:8080", "HTTP://tea.example:8080"),
        (web_address, "https://茶.中国", "https://茶.中国"),
        (line(4), "茗山茶业", "茗山茶业"),
        (text(8), "茶\r\n\t服装", "茶\r\n\t服装"),
    ],
)
def test_what_is_right(read, typed, value):
    assert read(typed, TODAY) == value


@pytest.mark.parametrize(
    ("read", "typed", "code"),
    [
        (day, "2026-02-31", "day_shape"),
        (day, "2027-02-29", "day_shape"),
        (day, "20260223", "day_shape"),
        (day, "2026-W09-1", "day_shape"),
        (day, "0000-01-01", "day_shape"),
        (day, "２０２６-01-01", "day_shape"),
        (end_day, "2026-11-22", "expired"),
        (end_day, "forever", "day_shape"),
        (begin_day, "2026-11-24", "begins_later"),
        (begin_day, LONG_TERM, "day_shape"),
        (share, "100.01", "share_range"),
        (share, "150%", "share_range"),
        (share, "0", "share_range"),
        (share, "-5", "share_range"),
        (share, "33.333", "share_shape"),
        (share, "NaN", "share_shape"),
        (share, "1e1", "share_shape"),
        (share, "1_0", "share_shape"),
        (share, "%", "share_shape"),
        (share, "ein Viertel", "share_shape"),
        (whole_yuan, "12.50", "amount_shape"),
        (whole_yuan, "-1", "amount_shape"),
        (whole_yuan, "1" * 13, "amount_shape"),
        (whole_yuan, "五万", "amount_shape"),
        (mobile, "1380013800", "mobile_shape"),
        (mobile, "23800138000", "mobile_shape"),
        (mobile, "+85261234567", "mobile_shape"),
        (email, "lin", "email_shape"),
        (email, "lin@tea", "email_shape"),
        (email, "lin@tea..example", "email_shape"),
        (email, "lin@mei@tea.example", "email_shape"),
        (email, "lin mei@tea.example", "email_shape"),
        (email, f"{'l' * 300}@tea.example", "too_long"),
        (web_address, "tea.example", "web_address_shape"),
        (web_address, "ftp://tea.example", "web_address_shape"),
        (web_address, "javascript://tea.example", "web_address_shape"),
        (web_address, "https://tea", "web_address_shape"),
        (web_address, "https://.", "web_address_shape"),
        (web_address, "https://tea.example@evil.example", "web_address_shape"),
        (web_address, "https://tea.example/\nX: y", "web_address_shape"),
        (web_address, f"https://tea.example/{'a' * 300}", "too_long"),
        (line(4), "茗山茶业行", "too_long"),
        (line(9), "茶\n行", "control_characters"),
        (line(9), "茶\x00行", "control_characters"),
        (line(9), f"茶{TURNED}行", "control_characters"),
        (line(9), "茶\u200b行", "control_characters"),
        (text(9), f"茶\n{TURNED}行", "control_characters"),
        (text(4), "茶\n行\n茶", "too_long"),
    ],
)
def test_what_is_wrong(read, typed, code):
    with pytest.raises(Unfit) as unfit:
        read(typed, TODAY)
    assert unfit.value.code == code


@given(st.integers(1, 10_000))
def test_every_share_of_two_decimals_is_read_as_it_is(hundredths):
    assert share(f"{Decimal(hundredths) / 100:.2f}", TODAY) * 100 == hundredths


@given(first=st.dates(), last=st.dates(), on=st.dates())
def test_a_term_that_is_read_has_begun_and_is_not_over(first, last, on):
    """So no rule has to compare both days."""
    row = {"valid_from": first.isoformat(), "valid_to": last.isoformat()}
    read = read_section(SECTIONS["licence"], [row], on=on).rows[0]
    assert ("valid_from" in read) == (first <= on)
    assert ("valid_to" in read) == (on <= last)


FIELDS = [(section, field) for section in SECTIONS.values() for field in section.fields]


@given(st.sampled_from(FIELDS), st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused_with_a_code(where, typed):
    section, field = where
    typed_row = {field.only_if[0]: field.only_if[1], field.name: typed}
    read = read_section(section, [typed_row], on=TODAY)

    codes = {fault.code for fault in read.faults if fault.field == field.name}
    values = [row[field.name] for row in read.rows if field.name in row]
    if typed.strip():
        assert len(codes) + len(values) == 1
        assert codes <= set(FAULTS)


NOTES = Section(
    "notes",
    (
        Field("kind", line(9)),
        Field("more", line(9), only_if=("kind", "long")),
        Field("extra", line(9), is_required=False),
    ),
    rows_max=2,
)


class TestReadingASection:
    def test_a_field_that_hangs_on_another_is_asked_for_only_then(self):
        short = read_section(NOTES, [{"kind": "short"}], on=TODAY)
        long = read_section(NOTES, [{"kind": "long"}], on=TODAY)

        assert short.faults == ()
        assert long.faults == (Fault("notes", "more", "missing"),)

    def test_a_space_around_a_choice_hides_nothing_of_what_hangs_on_it(self):
        typed = {"kind": " company ", "holder": "茗山茶业有限公司", "bank": "中国银行"}
        read = read_section(SECTIONS["account"], [typed], on=TODAY)

        assert read.rows[0]["kind"] == "company"
        assert {fault.field for fault in read.faults} == {"bank_code", "account_number"}

    def test_what_stands_in_a_field_that_is_not_asked_for_is_not_read(self):
        read = read_section(NOTES, [{"kind": "short", "more": "old"}], on=TODAY)
        assert dict(read.rows[0]) == {"kind": "short"}

    def test_a_faulty_field_is_no_value_and_the_others_are(self):
        read = read_section(NOTES, [{"kind": "long", "more": "x" * 10}], on=TODAY)

        assert dict(read.rows[0]) == {"kind": "long"}
        assert read.faults == (Fault("notes", "more", "too_long"),)

    def test_rows_that_nobody_wrote_into_count_for_nothing(self):
        read = read_section(NOTES, [{}, {"kind": " "}, {"kind": "short"}], on=TODAY)
        assert [dict(row) for row in read.rows] == [{"kind": "short"}]

    def test_a_fault_names_its_row(self):
        read = read_section(NOTES, [{"kind": "short"}, {"extra": "x"}], on=TODAY)
        assert read.faults == (Fault("notes", "kind", "missing", 1),)

    def test_one_row_more_than_there_may_be(self):
        most = read_section(NOTES, [{"kind": "short"}] * 2, on=TODAY)
        more = read_section(NOTES, [{"kind": "short"}] * 3, on=TODAY)

        assert most.faults == ()
        assert more.faults == (Fault("notes", "", "too_many_rows"),)

    def test_nothing_typed_leaves_every_required_field_missing(self):
        read = read_section(SECTIONS["licence"], [], on=TODAY)
        assert {fault.field for fault in read.faults} == {
            field.name for field in SECTIONS["licence"].fields
        }

    def test_a_licence_that_ran_out_yesterday(self):
        row = {"valid_to": (TODAY - timedelta(days=1)).isoformat()}
        faults = read_section(SECTIONS["licence"], [row], on=TODAY).faults
        assert Fault("licence", "valid_to", "expired") in faults


class TestSectionsAsTheyStand:
    def test_who_fills_in_what(self):
        names = {
            entity: [section.name for section in sections_for(entity)]
            for entity in ("enterprise", "individual", "institution")
        }
        assert names["enterprise"] == list(SECTIONS)
        assert set(SECTIONS) - set(names["individual"]) == {"shareholders", "owners"}
        assert set(SECTIONS) - set(names["institution"]) == {"shareholders"}

    @pytest.mark.parametrize(("section", "field"), FIELDS)
    def test_a_field_hangs_on_a_choice_of_the_same_section_that_stands_before_it(
        self, section, field
    ):
        other, wanted = field.only_if
        before = section.fields[: section.fields.index(field)]
        assert not other or [one for one in before if one.name == other and wanted in one.choices]

    def test_numbers_of_people_and_their_accounts_are_secret(self):
        open_ones = {"credit_code", "bank_code", "icp_number"}
        for _section, field in FIELDS:
            is_number = field.name.endswith(("_number", "mobile")) and field.name not in open_ones
            assert field.is_secret == is_number

    def test_lists_have_an_end(self):
        assert {section.rows_max for section in SECTIONS.values()} == {1, ROWS_MAX}
