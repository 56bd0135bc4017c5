"""What is shown of tickets: to a merchant, to a customer, and to the staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from compliance.protection.masking import Kind, masked
from merchants.accounts.abilities import TICKETS_READ
from merchants.support.models import Message, Ticket
from merchants.support.sides import Side
from merchants.support.states import ONGOING, STAFF_TURN, AuthorKind, TicketState

TONES = {
    TicketState.OPEN: "info", TicketState.WAITING_FOR_ASKER: "ok",
    TicketState.WAITING_FOR_STAFF: "info", TicketState.RESOLVED: "neutral",
    TicketState.CLOSED: "neutral",
}  # fmt: skip
"""The colours of states for whoever asked: green has something to read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a talk."""

    author: str
    text: str
    at: datetime
    is_own: bool
    """Whether the reader's side wrote it."""
    is_internal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket in a list or on top of its page."""

    number: str
    subject: str
    payment: str
    state: str
    label: str
    tone: str
    created_at: datetime
    can_answer: bool
    can_reopen: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A ticket with what was said in it."""

    ticket: TicketRow
    lines: Sequence[Line]


def list_tickets(side: Side, *, before: int = 0, limit: int) -> tuple[Sequence[TicketRow], int]:
    """The side's tickets, newest first, below a key; and the key to go on from, 0 at the end.

    Raises AccessRefused.
    """
    side.require(TICKETS_READ)
    rows = side.rows.filter(pk__lt=before) if before else side.rows
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return [_row(one) for one in shown], shown[-1].pk if len(found) > limit else 0


def talk_of(side: Side, ticket: str) -> Talk:
    """A ticket as this side reads it. Raises AccessRefused or TicketUnknown.

    Internal notes are left out by the query itself for everybody but the staff.
    """
    side.require(TICKETS_READ)
    row = side.find(ticket)
    messages = row.messages.select_related("author").order_by("pk")
    if not side.is_staff:
        messages = messages.filter(is_internal=False)
    return Talk(_row(row), [_line(side, message) for message in messages])


def masked_contact(ticket: Ticket) -> str:
    """A customer's address as the staff see it; "" for a merchant's ticket."""
    if ticket.contact_sealed is None:
        return ""
    return masked(ticket.contact_sealed.open(), kind=Kind.EMAIL)


def overdue(at: datetime) -> Q:
    """Tickets that the staff kept waiting longer than the table of service times allows.

    While an asker is to answer, nobody of the staff is late.
    """
    unanswered = Q(first_answered_at__isnull=True, first_answer_due_at__lt=at)
    return Q(state__in=STAFF_TURN) & (unanswered | Q(resolution_due_at__lt=at))


def due_at(ticket: Ticket) -> datetime | None:
    """When somebody of the staff must have done something; None when it is not their move."""
    if ticket.state not in STAFF_TURN:
        return None
    if ticket.first_answered_at is None:
        return min(ticket.first_answer_due_at, ticket.resolution_due_at)
    return ticket.resolution_due_at


def _row(ticket: Ticket) -> TicketRow:
    state = TicketState(ticket.state)
    return TicketRow(
        number=ticket.public_id,
        subject=ticket.subject,
        payment=ticket.payment,
        state=state.value,
        label=str(state.label),
        tone=TONES[state],
        created_at=ticket.created_at,
        can_answer=state in ONGOING,
        can_reopen=state is TicketState.RESOLVED,
    )


def _line(side: Side, message: Message) -> Line:
    return Line(
        author=_author(side, message),
        text=message.text,
        at=message.created_at,
        is_own=message.author_kind == side.kind,
        is_internal=message.is_internal,
    )


def _author(side: Side, message: Message) -> str:
    """Names of the staff stay inside."""
    if message.author_kind == AuthorKind.CUSTOMER:
        return _("Customer") if side.is_staff else _("You")
    if message.author is None or (message.author_kind == AuthorKind.STAFF and not side.is_staff):
        return _("Support")
    return message.author.get_full_name()
