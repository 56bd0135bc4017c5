"""An application goes only where its table lets it go, and an end is an end."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from merchants.errors import IllegalMove
from merchants.onboarding.sections import SECTIONS
from merchants.onboarding.states import (
    MOVES,
    OPEN,
    WRITABLE,
    ApplicationState,
    Entity,
    require_application_move,
)

ENDS = frozenset({
    ApplicationState.APPROVED, ApplicationState.REJECTED, ApplicationState.WITHDRAWN,
})  # fmt: skip


class Life(RuleBasedStateMachine):
    """Somebody tries any move at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ApplicationState.DRAFT
        self.been = [self.state]

    @rule(to=st.sampled_from(ApplicationState))
    def move(self, to):
        before = self.state
        if to in MOVES[before]:
            require_application_move(before, to)
            self.state = to
            self.been.append(to)
        else:
            with pytest.raises(IllegalMove) as refusal:
                require_application_move(before, to)
            assert refusal.value.facts == {"before": before.value, "after": to.value}

    @invariant()
    def an_end_is_an_end(self):
        assert not ENDS & set(self.been[:-1])

    @invariant()
    def nobody_is_taken_on_unseen(self):
        if self.state is ApplicationState.APPROVED:
            assert self.been[-2] is ApplicationState.IN_REVIEW

    @invariant()
    def it_is_never_a_draft_again(self):
        assert self.been.count(ApplicationState.DRAFT) == 1

    @invariant()
    def reviewers_and_applicants_never_write_at_once(self):
        assert not (self.state in WRITABLE and self.state is ApplicationState.IN_REVIEW)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
TestLife = Life.TestCase


def test_every_state_has_its_row():
    assert set(MOVES) == set(ApplicationState)
    assert {state for state, after in MOVES.items() if not after} == ENDS
    assert set(ApplicationState) - ENDS == OPEN


def test_every_state_can_be_reached_and_can_end():
    reached, todo = {ApplicationState.DRAFT}, [ApplicationState.DRAFT]
    while todo:
        fresh = MOVES[todo.pop()] - reached
        reached |= fresh
        todo += fresh
    assert reached == set(ApplicationState)
    assert all(MOVES[state] for state in OPEN)


def test_kinds_of_business_are_those_that_the_form_offers():
    field = next(one for one in SECTIONS["entity"].fields if one.name == "entity")
    assert set(field.choices) == set(Entity.values)
