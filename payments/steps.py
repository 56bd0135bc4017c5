"""The moments of payments at which a process may die, for the fault tests."""

from typing import Final

from compliance.steps import step

__all__ = ["STEPS", "step"]

STEPS: Final = frozenset({
    "payment.created",
    "attempt.created",
    "attempt.answered",
    "attempt.opened",
    "attempt.closing",
    "attempt.close_answered",
    "notification.verified",
    "notification.booked",
    "query.answered",
    "refund.sending",
    "refund.answered",
    "callback.claimed",
    "callback.answered",
    "bill.fetched",
    "bill.kept",
    "bill.loaded",
    "bill.matched",
})  # fmt: skip
