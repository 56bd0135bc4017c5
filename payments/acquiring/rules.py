"""Pure rules of acquiring: what a gateway's word means here, and when to ask it again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from payments.acquiring.states import ASKED, LIVE, OVER, AttemptState, PaymentState
from payments.channels.base import TradeState


class Step(Enum):
    """What to do with what a gateway said about one attempt."""

    BOOK = "book"
    """The payment is paid."""
    GIVE_BACK = "give_back"
    """Money came that nobody waits for: it goes back in full."""
    CLOSE = "close"
    """The attempt can no longer be paid."""
    NOTHING = "nothing"
    """Known before, or not final."""


def step_for(attempt: AttemptState, payment: PaymentState, trade: TradeState) -> Step:
    """The one place that decides what a trade's state means for an attempt and its payment."""
    match trade:
        case TradeState.PAID if attempt in LIVE and payment is PaymentState.PENDING:
            return Step.BOOK
        case TradeState.PAID if attempt in LIVE or attempt in OVER:
            return Step.GIVE_BACK
        case TradeState.CLOSED if attempt in ASKED:
            return Step.CLOSE
        case _:
            return Step.NOTHING


@dataclass(frozen=True, slots=True)
class Alone:
    """How much one person or program may give back without a second person, in minor units."""

    once: int
    """In all refunds of one payment."""
    day: int
    """Of one merchant within 24 hours."""


def needs_second(minor: int, *, of_payment: int, of_day: int, alone: Alone) -> bool:
    """Whether a refund needs a second person, seen with those that went before without one.

    Sums are compared, not single amounts: a large refund cut into small ones is a large refund.
    """
    return of_payment + minor > alone.once or of_day + minor > alone.day


ASK_AFTER: Final = tuple(
    timedelta(seconds=s) for s in (10, 20, 40, 60, 120, 300, 600, 900, 1800, 3600)
)
"""Waits between questions to a gateway about one attempt or refund; the last one repeats."""

ASKED_MAX: Final = 40
"""After so many questions without a final answer a person must look."""


def ask_again_at(asked: int, *, at: datetime, expires_at: datetime | None = None) -> datetime:
    """When to ask next, having asked `asked` times. Never sleeps through the expiry."""
    due = at + ASK_AFTER[min(asked, len(ASK_AFTER) - 1)]
    if expires_at is not None and at < expires_at < due:
        return expires_at
    return due
