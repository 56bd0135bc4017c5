"""The refusals of this room."""

from payments.errors import Refusal


class ReconciliationRefused(Refusal):
    """What was asked for does not suit the difference or the day.

    `problem` among the facts: `not_open`, `not_suited`, `claim_missing`, `nothing_moves`,
    `not_theirs`, `no_bills`, `day_not_over`, `not_booked`, `busy`.
    """

    code = "reconciliation_refused"

    def __init__(self, problem: str, **facts: str) -> None:
        super().__init__(problem=problem, **facts)
        self.problem = problem
