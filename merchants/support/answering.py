"""What is said in a ticket: answers that everybody in it reads, and notes among the staff."""

from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from merchants.accounts.abilities import TICKETS_WRITE
from merchants.support.asking import fit_text
from merchants.support.models import TEXT_MAX, Message, Ticket
from merchants.support.refusals import NotAnswering, TicketFull, TicketOver
from merchants.support.servicetimes import due_times
from merchants.support.sides import Side
from merchants.support.states import ONGOING, Priority, TicketState
from merchants.support.telling import tell_asker

MESSAGES_MAX: Final = 200


@transaction.atomic
def answer(*, side: Side, ticket: str, text: str, actor: Actor, at: datetime) -> Message:
    """Say something that everybody in the ticket reads; then it is the others' move.

    Raises TicketUnknown, AccessRefused, TicketOver, TicketFull or TextUnfit.
    """
    side.require(TICKETS_WRITE)
    row = side.lock(ticket)
    if row.state not in ONGOING:
        raise TicketOver(ticket=row.public_id)
    message = _write(row, side, text, is_internal=False, at=at)
    before = row.state
    if side.is_staff:
        if row.state != TicketState.WAITING_FOR_ASKER:
            row.move(TicketState.WAITING_FOR_ASKER, at=at)
        if row.first_answered_at is None:
            row.first_answered_at = at
            row.save(update_fields=["first_answered_at"])
        tell_asker(row, "ticket_answered", at=at)
    else:
        if row.state == TicketState.WAITING_FOR_ASKER:
            row.move(TicketState.WAITING_FOR_STAFF, at=at)
        row.is_staff_told = False
        row.save(update_fields=["is_staff_told"])
    record(
        actor, "ticket.answered", subject=("ticket", row.public_id),
        facts={"message": message.pk, "by": side.kind.value}, before={"state": str(before)},
        after={"state": str(row.state)}, at=at,
    )  # fmt: skip
    return message


@transaction.atomic
def note_internally(*, side: Side, ticket: str, text: str, actor: Actor, at: datetime) -> Message:
    """Write a note that only the staff ever see, in any state of the ticket.

    Raises NotAnswering for whoever is not of the staff, TicketUnknown, TicketFull or TextUnfit.
    """
    if not side.is_staff:
        raise NotAnswering
    row = side.lock(ticket)
    message = _write(row, side, text, is_internal=True, at=at)
    record(
        actor, "ticket.noted", subject=("ticket", row.public_id), facts={"message": message.pk},
        at=at,
    )  # fmt: skip
    return message


@transaction.atomic
def prioritise(
    *, side: Side, ticket: str, priority: Priority, actor: Actor, at: datetime
) -> Ticket:
    """Choose how soon a ticket is to be seen to. Its due times are reckoned anew.

    Raises NotAnswering, TicketUnknown or TicketOver.
    """
    if not side.is_staff:
        raise NotAnswering
    row = side.lock(ticket)
    if row.state not in ONGOING:
        raise TicketOver(ticket=row.public_id)
    before = str(row.priority)
    row.priority = priority
    row.first_answer_due_at = due_times(priority, since=row.created_at).first_answer
    row.resolution_due_at = due_times(priority, since=row.waits_since).resolution
    row.save(update_fields=["priority", "first_answer_due_at", "resolution_due_at"])
    record(
        actor, "ticket.prioritised", subject=("ticket", row.public_id),
        before={"priority": before}, after={"priority": priority.value}, at=at,
    )  # fmt: skip
    return row


def _write(row: Ticket, side: Side, text: str, *, is_internal: bool, at: datetime) -> Message:
    if row.messages.count() >= MESSAGES_MAX:
        raise TicketFull(most=MESSAGES_MAX)
    return Message.objects.create(
        ticket=row, author_kind=side.kind, author=side.person, is_internal=is_internal,
        text=fit_text(text, most=TEXT_MAX, field="text"), created_at=at,
    )  # fmt: skip
