"""The one way in which an enrolment's state changes: with its step, and what the trail is told."""

from datetime import datetime
from typing import Any

from compliance.audit.actor import Actor
from payments.enrolment.models import Enrolment, EnrolmentStep
from payments.enrolment.states import EnrolmentState


def move_enrolment(
    row: Enrolment, to: EnrolmentState, *, by: Actor, at: datetime, letter: str = "", **facts: Any
) -> dict[str, Any]:
    """Move a locked row; `facts` are columns that change with the state.

    The answer is what the verb hands to `record` with its own word. Raises IllegalMove.
    """
    before = str(row.state)
    row.move(to, at=at, **facts)
    EnrolmentStep.objects.create(
        enrolment=row, state=to, round=row.round, letter=letter, by=by.label[:128], at=at
    )
    return {
        "subject": ("enrolment", row.public_id),
        "facts": {
            "merchant": row.merchant.public_id, "channel": row.channel.code, "round": row.round,
            **({"letter": letter} if letter else {}),
        },
        "before": {"state": before},
        "after": {"state": str(to)},
        "at": at,
    }  # fmt: skip
