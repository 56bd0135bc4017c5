"""Who takes part in a ticket, which tickets they reach, and as whom they write.

Every verb and every query of tickets asks a side for its rows: what it does not reach answers like
what does not exist.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from compliance.audit.actor import Actor
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.numbers import is_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import TICKETS_READ
from merchants.support.links import ticket_behind
from merchants.support.models import Ticket
from merchants.support.refusals import NotAnswering, TicketUnknown
from merchants.support.states import AuthorKind, TicketKind


@dataclass(frozen=True, slots=True)
class Side:
    """One who reads and writes in tickets. Made by the functions below only."""

    kind: AuthorKind
    rows: "QuerySet[Ticket]"
    """All tickets that this side reaches."""
    person: User | None = None
    access: MerchantAccess | None = None

    @property
    def is_staff(self) -> bool:
        """Whether internal notes are for these eyes."""
        return self.kind is AuthorKind.STAFF

    def require(self, ability: str) -> None:
        """Raise AccessRefused when this is a merchant's person whose role does not give it."""
        if self.access is not None:
            require(self.access, ability)

    def find(self, ticket: str) -> Ticket:
        """The ticket with this public number. Raises TicketUnknown."""
        return self._one_of(self.rows, ticket)

    def lock(self, ticket: str) -> Ticket:
        """The same, its row locked. Raises TicketUnknown."""
        return self._one_of(self.rows.select_for_update(of=("self",)), ticket)

    @staticmethod
    def _one_of(rows: "QuerySet[Ticket]", ticket: str) -> Ticket:
        found = rows.filter(public_id=ticket).first() if is_number(ticket, "tkt_") else None
        if found is None:
            raise TicketUnknown(ticket=ticket)
        return found


def side_of_merchant(access: MerchantAccess, person: User) -> Side:
    """A person of a merchant's team. Raises AccessRefused: ability_missing."""
    require(access, TICKETS_READ)
    rows = Ticket.objects.filter(kind=TicketKind.MERCHANT, merchant_id=access.merchant_id)
    return Side(AuthorKind.MERCHANT, rows, person, access)


def side_of_customer(secret: str, *, at: datetime) -> tuple[Side, Ticket]:
    """Who holds a link of ours, and the one ticket behind it. Raises TicketUnknown."""
    ticket = ticket_behind(secret, at=at)
    return Side(AuthorKind.CUSTOMER, Ticket.objects.filter(pk=ticket.pk)), ticket


def side_of_staff(person: User) -> Side:
    """One of the staff who answers tickets. Raises NotAnswering."""
    if not may(person, Ability.TICKETS_ANSWER):
        raise NotAnswering
    return Side(AuthorKind.STAFF, Ticket.objects.all(), person)


def staff_reader() -> Side:
    """The eyes of the staff, for a page that has asked who may see it. It can write nothing."""
    return Side(AuthorKind.STAFF, Ticket.objects.all())


def customer(address: str, agent: str = "") -> Actor:
    """A customer as audit entries name them: by no name at all."""
    return Actor("customer", "", "customer", address, agent=agent)
