"""By when a merchant confirms its data, and what follows when it does not."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.onboarding.grading import Grade, review_day
from merchants.terms.expiry import NOTICE_DAYS
from merchants.terms.reviews import OVERDUE_DAYS, ReviewStage, review_stage_of

DAY = date(2027, 3, 1)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 1, 1))


@pytest.mark.parametrize(
    ("days_before", "stage"),
    [
        (61, ReviewStage.FAR), (60, ReviewStage.NOTICE_60), (31, ReviewStage.NOTICE_60),
        (30, ReviewStage.NOTICE_30), (7, ReviewStage.NOTICE_7), (1, ReviewStage.NOTICE_7),
        (0, ReviewStage.DUE), (-1, ReviewStage.DUE), (-OVERDUE_DAYS, ReviewStage.DUE),
        (-OVERDUE_DAYS - 1, ReviewStage.OVERDUE),
    ],
)  # fmt: skip
def test_each_edge(days_before, stage):
    assert review_stage_of(DAY, on=DAY - timedelta(days=days_before)) is stage


def test_where_nobody_asks_nothing_is_due():
    assert review_stage_of(None, on=date.max) is ReviewStage.FAR


@given(day=DAYS, one=DAYS, other=DAYS)
def test_time_only_makes_it_later(day, one, other):
    first, second = sorted((one, other))
    assert review_stage_of(day, on=first) <= review_stage_of(day, on=second)


@given(on=DAYS, one=DAYS, other=DAYS)
def test_a_later_day_is_never_worse(on, one, other):
    first, second = sorted((one, other))
    assert review_stage_of(second, on=on) <= review_stage_of(first, on=on)


@given(on=DAYS, day=DAYS)
def test_nobody_is_limited_before_the_days_of_grace_are_over(on, day):
    is_overdue = review_stage_of(day, on=on) is ReviewStage.OVERDUE
    assert is_overdue == ((on - day).days > OVERDUE_DAYS)


@given(on=DAYS, grade=st.sampled_from(Grade), late=st.integers(min_value=0, max_value=900))
def test_whoever_is_believed_late_begins_anew_from_that_day(on, grade, late):
    """However late: the next day counts from the acceptance, and is farther than every notice."""
    accepted = on + timedelta(days=late)
    following = review_day(grade, since=accepted)
    assert review_stage_of(following, on=accepted) is ReviewStage.FAR
    assert (following - accepted).days > max(NOTICE_DAYS)


@given(on=DAYS, one=st.sampled_from(Grade), other=st.sampled_from(Grade))
def test_the_riskier_the_sooner(on, one, other):
    lower, higher = sorted((one, other))
    assert review_day(higher, since=on) <= review_day(lower, since=on)


@given(day=DAYS)
def test_walking_through_the_days_each_letter_is_due_once_and_in_order(day):
    told, written = 0, []
    for ahead in range(-70, OVERDUE_DAYS + 40):
        stage = review_stage_of(day, on=day + timedelta(days=ahead))
        if stage > told:
            told = stage
            written.append((ahead, stage))
    assert written == [
        (-60, ReviewStage.NOTICE_60), (-30, ReviewStage.NOTICE_30), (-7, ReviewStage.NOTICE_7),
        (0, ReviewStage.DUE), (OVERDUE_DAYS + 1, ReviewStage.OVERDUE),
    ]  # fmt: skip
