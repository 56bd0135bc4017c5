"""The state machines have no way back and no way around."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.acquiring.rules import Step, step_for
from payments.acquiring.states import (
    ASKED,
    ATTEMPT_MOVES,
    LIVE,
    OVER,
    PAYMENT_MOVES,
    REFUND_MOVES,
    AttemptState,
    PaymentState,
    RefundState,
    require_attempt_move,
    require_payment_move,
    require_refund_move,
)
from payments.channels.base import TradeState
from payments.errors import IllegalMove

MACHINES = [
    (PAYMENT_MOVES, PaymentState, require_payment_move),
    (ATTEMPT_MOVES, AttemptState, require_attempt_move),
    (REFUND_MOVES, RefundState, require_refund_move),
]


@pytest.mark.parametrize(("moves", "states", "require"), MACHINES)
def test_every_state_has_a_row_and_only_its_moves_are_allowed(moves, states, require):
    assert set(moves) == set(states)
    for old in states:
        for new in states:
            if new in moves[old]:
                require(old, new)
            else:
                with pytest.raises(IllegalMove):
                    require(old, new)


@pytest.mark.parametrize(("moves", "states", "require"), MACHINES)
def test_no_machine_comes_back_to_a_final_state_it_left(moves, states, require):
    finals = {state for state in states if not moves[state]}
    assert finals
    for state in states:
        reached: set[str] = set()
        todo = [state]
        while todo:
            for new in moves[todo.pop()] - reached:
                reached.add(new)
                todo.append(new)
        assert state in finals or reached & finals


@given(st.sampled_from(AttemptState), st.sampled_from(PaymentState), st.sampled_from(TradeState))
def test_the_step_taken_is_always_a_legal_move(attempt, payment, trade):
    match step_for(attempt, payment, trade):
        case Step.BOOK:
            assert payment is PaymentState.PENDING
            assert AttemptState.SUCCEEDED in ATTEMPT_MOVES[attempt]
            assert PaymentState.PAID in PAYMENT_MOVES[payment]
        case Step.GIVE_BACK:
            assert trade is TradeState.PAID
            assert AttemptState.LATE in ATTEMPT_MOVES[attempt]
        case Step.CLOSE:
            assert AttemptState.CLOSED in ATTEMPT_MOVES[attempt]
        case Step.NOTHING:
            assert trade is not TradeState.PAID or attempt in {
                AttemptState.SUCCEEDED,
                AttemptState.LATE,
            }


def test_money_that_came_is_never_ignored():
    for attempt in AttemptState:
        for payment in PaymentState:
            step = step_for(attempt, payment, TradeState.PAID)
            known = attempt in {AttemptState.SUCCEEDED, AttemptState.LATE}
            assert (step is Step.NOTHING) == known


def test_live_over_and_final_states_cover_the_machine():
    assert not LIVE & OVER
    assert LIVE < ASKED
    assert set(AttemptState) == LIVE | OVER | {AttemptState.SUCCEEDED, AttemptState.LATE}
