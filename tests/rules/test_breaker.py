"""The circuit of a channel: it opens on failures, waits longer each time, and always comes back."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payments.routing.breaker import (
    FAILED_MIN,
    PROBE,
    WAIT,
    WAIT_MAX,
    WINDOW,
    Health,
    heard,
    may_try,
    trying,
)
from payments.routing.states import BreakerState

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def broken(at=NOON) -> Health:
    return heard(Health(), ok=0, failed=FAILED_MIN, at=at)


def test_few_failures_prove_nothing():
    health = heard(Health(), ok=0, failed=FAILED_MIN - 1, at=NOON)
    assert health.state is BreakerState.CLOSED
    assert heard(health, ok=0, failed=1, at=NOON).state is BreakerState.OPEN


def test_failures_among_many_answers_do_not_open_it():
    assert heard(Health(), ok=20, failed=10, at=NOON).state is BreakerState.CLOSED


def test_failures_of_an_earlier_window_are_forgotten():
    health = heard(Health(), ok=0, failed=FAILED_MIN - 1, at=NOON)
    assert heard(health, ok=0, failed=1, at=NOON + WINDOW).failed == 1


def test_it_waits_then_lets_one_try_and_closes_on_an_answer():
    health = broken()
    assert not may_try(health, at=NOON + WAIT - SECOND)
    at = NOON + WAIT
    assert may_try(health, at=at)
    tried = trying(health, at=at)
    assert not may_try(tried, at=at + SECOND)
    assert heard(tried, ok=1, failed=0, at=at).state is BreakerState.CLOSED


def test_a_failed_trial_doubles_the_wait():
    at = NOON + WAIT
    again = heard(trying(broken(), at=at), ok=0, failed=1, at=at)
    assert again.retry_at == at + 2 * WAIT


def test_a_trial_that_never_reports_leaves_the_way_back_open():
    tried = trying(broken(), at=NOON + WAIT)
    assert may_try(tried, at=NOON + WAIT + PROBE)


def test_late_ends_of_earlier_calls_decide_nothing_while_it_is_open():
    assert heard(broken(), ok=9, failed=9, at=NOON + SECOND) == broken()


EVENTS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 8), st.integers(0, 8), st.booleans()), max_size=60
)


@given(EVENTS)
def test_whatever_happens_it_can_be_tried_again_within_the_longest_wait(events):
    health, at = Health(), NOON
    for seconds, ok, failed, tries in events:
        at += timedelta(seconds=seconds)
        if tries and health.state is not BreakerState.CLOSED and may_try(health, at=at):
            health = trying(health, at=at)
        health = heard(health, ok=ok, failed=failed, at=at)
        assert (health.state is BreakerState.CLOSED) == (health.retry_at is None)
        assert may_try(health, at=at + WAIT_MAX)


@given(EVENTS)
def test_without_failures_it_never_opens(events):
    health, at = Health(), NOON
    for seconds, ok, _failed, _tries in events:
        at += timedelta(seconds=seconds)
        health = heard(health, ok=ok, failed=0, at=at)
        assert health.state is BreakerState.CLOSED
