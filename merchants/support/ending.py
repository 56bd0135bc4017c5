"""Resolves tickets, opens them again, and closes them for good."""

from datetime import datetime
from typing import Any

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from merchants.accounts.abilities import TICKETS_WRITE
from merchants.errors import IllegalMove
from merchants.support.models import Ticket
from merchants.support.refusals import NotAnswering
from merchants.support.servicetimes import due_times
from merchants.support.sides import Side
from merchants.support.states import Priority, TicketState
from merchants.support.telling import tell_asker


@transaction.atomic
def resolve(*, side: Side, ticket: str, actor: Actor, at: datetime) -> Ticket:
    """Say that the matter is settled: the staff or the asker. The asker may reopen it.

    Raises TicketUnknown, AccessRefused, or IllegalMove when it is resolved or closed already.
    """
    side.require(TICKETS_WRITE)
    row, before = _move(side, ticket, TicketState.RESOLVED, at=at)
    if side.is_staff:
        tell_asker(row, "ticket_resolved", at=at)
    record(actor, "ticket.resolved", **_told(row, before, side), at=at)
    return row


@transaction.atomic
def reopen(*, side: Side, ticket: str, actor: Actor, at: datetime) -> Ticket:
    """Say that a resolved matter is not settled. The time for its resolution begins anew.

    Raises TicketUnknown, AccessRefused, or IllegalMove unless it is resolved: one that is closed
    stays so, and a new one is opened.
    """
    side.require(TICKETS_WRITE)
    row = side.lock(ticket)
    before = str(row.state)
    if before != TicketState.RESOLVED:
        # The table also allows this move from an answered ticket, as what an answer does.
        raise IllegalMove(before=before, after=TicketState.WAITING_FOR_STAFF.value)
    row.move(TicketState.WAITING_FOR_STAFF, at=at)
    row.waits_since = at
    row.resolution_due_at = due_times(Priority(row.priority), since=at).resolution
    row.is_staff_told = side.is_staff
    row.save(update_fields=["waits_since", "resolution_due_at", "is_staff_told"])
    record(actor, "ticket.reopened", **_told(row, before, side), at=at)
    return row


@transaction.atomic
def close(*, side: Side, ticket: str, actor: Actor, at: datetime) -> Ticket:
    """End a ticket for good, resolved or not. Only the staff do.

    Raises NotAnswering, TicketUnknown, or IllegalMove when it is closed already.
    """
    if not side.is_staff:
        raise NotAnswering
    row, before = _move(side, ticket, TicketState.CLOSED, at=at)
    record(actor, "ticket.closed", **_told(row, before, side), at=at)
    return row


def _move(side: Side, ticket: str, to: TicketState, *, at: datetime) -> tuple[Ticket, str]:
    row = side.lock(ticket)
    before = str(row.state)
    row.move(to, at=at)
    return row, before


def _told(row: Ticket, before: str, side: Side) -> dict[str, Any]:
    return {
        "subject": ("ticket", row.public_id), "facts": {"by": side.kind.value},
        "before": {"state": before}, "after": {"state": str(row.state)},
    }  # fmt: skip
