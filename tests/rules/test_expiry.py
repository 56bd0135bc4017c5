"""What follows from a paper's last day, the day before, on it and after it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.terms.expiry import GRACE_DAYS, NOTICE_DAYS, Stage, stage_of

LAST = date(2027, 3, 1)


@pytest.mark.parametrize(
    ("days_before", "stage"),
    [
        (61, Stage.GOOD), (60, Stage.NOTICE_60), (31, Stage.NOTICE_60), (30, Stage.NOTICE_30),
        (8, Stage.NOTICE_30), (7, Stage.NOTICE_7), (0, Stage.NOTICE_7), (-1, Stage.LIMITED),
        (-GRACE_DAYS, Stage.LIMITED), (-GRACE_DAYS - 1, Stage.STOPPED),
    ],
)  # fmt: skip
def test_each_edge(days_before, stage):
    assert stage_of(LAST, on=LAST - timedelta(days=days_before)) is stage


def test_a_paper_without_an_end_is_good_for_ever():
    assert stage_of(None, on=date.max) is Stage.GOOD


DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


@given(last=DAYS, one=DAYS, other=DAYS)
def test_time_only_makes_it_worse(last, one, other):
    first, second = sorted((one, other))
    assert stage_of(last, on=first) <= stage_of(last, on=second)


@given(on=DAYS, one=DAYS, other=DAYS)
def test_a_later_last_day_is_never_worse(on, one, other):
    first, second = sorted((one, other))
    assert stage_of(second, on=on) <= stage_of(first, on=on)


@given(on=DAYS, last=DAYS)
def test_good_to_the_end_of_the_last_day(on, last):
    assert (stage_of(last, on=on) >= Stage.LIMITED) == (on > last)


@given(on=DAYS, further=st.integers(min_value=max(NOTICE_DAYS) + 1, max_value=4000))
def test_a_renewal_begins_anew_however_late_it_comes(on, further):
    renewed = on + timedelta(days=further)
    assert stage_of(renewed, on=on) is Stage.GOOD
