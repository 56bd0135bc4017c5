"""The one way in which an enrolment's state changes: with its step and its entry in the trail."""

from datetime import datetime
from typing import Any

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from payments.enrolment.models import Enrolment, EnrolmentStep
from payments.enrolment.states import EnrolmentState


def move_enrolment(
    row: Enrolment,
    to: EnrolmentState,
    *,
    action: str,
    actor: Actor,
    at: datetime,
    letter: str = "",
    reason: str = "",
    **facts: Any,
) -> None:
    """Move a locked row. `facts` are columns that change with the state. Raises IllegalMove."""
    before = str(row.state)
    row.move(to, at=at, **facts)
    EnrolmentStep.objects.create(
        enrolment=row, state=to, round=row.round, letter=letter, by=actor.label[:128], at=at
    )
    record(
        actor, action, subject=("enrolment", row.public_id),
        facts={
            "merchant": row.merchant.public_id, "channel": row.channel.code, "round": row.round,
            **({"letter": letter} if letter else {}),
        },
        before={"state": before}, after={"state": str(to)}, reason=reason, at=at,
    )  # fmt: skip
