"""Kinds, states and priorities of tickets, each on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

from merchants.errors import IllegalMove


class TicketKind(TextChoices):
    """Who asks."""

    CUSTOMER = "customer", pgettext_lazy("ticket", "Customer")
    MERCHANT = "merchant", pgettext_lazy("ticket", "Merchant")


class AuthorKind(TextChoices):
    """Who wrote a message."""

    CUSTOMER = "customer", pgettext_lazy("ticket", "Customer")
    MERCHANT = "merchant", pgettext_lazy("ticket", "Merchant")
    STAFF = "staff", pgettext_lazy("ticket", "Support")


class Priority(TextChoices):
    """How soon somebody is to see to it: `servicetimes` says what that means."""

    NORMAL = "normal", pgettext_lazy("ticket", "Normal")
    HIGH = "high", pgettext_lazy("ticket", "High")


class TicketState(TextChoices):
    """Whose move it is."""

    OPEN = "open", pgettext_lazy("ticket", "Open")
    WAITING_FOR_ASKER = "waiting_for_asker", pgettext_lazy("ticket", "Answered")
    WAITING_FOR_STAFF = "waiting_for_staff", pgettext_lazy("ticket", "Waiting for support")
    RESOLVED = "resolved", pgettext_lazy("ticket", "Resolved")
    CLOSED = "closed", pgettext_lazy("ticket", "Closed")


_S: Final = TicketState

TICKET_MOVES: Final[dict[TicketState, frozenset[TicketState]]] = {
    _S.OPEN: frozenset({_S.WAITING_FOR_ASKER, _S.RESOLVED, _S.CLOSED}),
    _S.WAITING_FOR_ASKER: frozenset({_S.WAITING_FOR_STAFF, _S.RESOLVED, _S.CLOSED}),
    _S.WAITING_FOR_STAFF: frozenset({_S.WAITING_FOR_ASKER, _S.RESOLVED, _S.CLOSED}),
    _S.RESOLVED: frozenset({_S.WAITING_FOR_STAFF, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}

STAFF_TURN: Final = frozenset({_S.OPEN, _S.WAITING_FOR_STAFF})
"""Somebody of the staff must do something."""
ONGOING: Final = STAFF_TURN | {_S.WAITING_FOR_ASKER}


def require_ticket_move(before: TicketState, after: TicketState) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if after not in TICKET_MOVES[before]:
        raise IllegalMove(before=before.value, after=after.value)
