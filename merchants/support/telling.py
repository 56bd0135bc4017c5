"""Letters about tickets. They say that there is something to read and where, never what."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from compliance.identity.letters import write_letter, write_letter_to_stranger
from merchants.support.links import LASTS, make_link
from merchants.support.models import Ticket
from merchants.support.states import TicketKind


def tell_asker(ticket: Ticket, template: str, *, at: datetime) -> None:
    """Write to whoever asked. Called in the transaction of the deed.

    A merchant's person who has left meanwhile is not written to; their team finds the answer in the
    portal.
    """
    if ticket.kind == TicketKind.CUSTOMER:
        tell_customer(ticket, template, at=at)
        return
    person, merchant = ticket.asked_by, ticket.merchant
    if person is None or merchant is None or not person.is_active:
        return
    if not merchant.members.filter(user=person, removed_at__isnull=True).exists():
        return
    page = reverse("merchants:ticket", args=[ticket.public_id])
    write_letter(
        person, template, at=at, merchant=merchant.public_id, page=page, number=ticket.public_id,
        link=f"{settings.BASE_URL}{page}",
    )  # fmt: skip


def tell_customer(ticket: Ticket, template: str, *, at: datetime) -> None:
    """Write to a customer, with a link of its own. Called in the transaction of the deed."""
    write_letter_to_stranger(
        ticket.contact_sealed.open(), template, language=ticket.language, at=at,
        until=at + LASTS, number=ticket.public_id, link=make_link(ticket, at=at), days=LASTS.days,
    )  # fmt: skip
