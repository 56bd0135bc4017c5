"""The secret addresses by which customers come back to their tickets: one in each letter."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.urls import reverse

from merchants.support.models import Ticket, TicketLink
from merchants.support.refusals import TicketUnknown

LASTS: Final = timedelta(days=90)
SECRET_BYTES: Final = 32
SECRET_CHARACTERS_MAX: Final = 64


def make_link(ticket: Ticket, *, at: datetime) -> str:
    """A new address of a customer's ticket. Called in the transaction that writes its letter.

    Earlier ones go on to open: people look for the newest letter last.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    TicketLink.objects.create(
        ticket=ticket, digest=_digest(secret), created_at=at, until=at + LASTS
    )
    return f"{settings.BASE_URL}{reverse('help:ticket', args=[secret])}"


def ticket_behind(secret: str, *, at: datetime) -> Ticket:
    """The ticket that a secret opens. Raises TicketUnknown."""
    if len(secret) <= SECRET_CHARACTERS_MAX:
        row = TicketLink.objects.filter(digest=_digest(secret), until__gt=at)
        if (link := row.select_related("ticket").first()) is not None:
            return link.ticket
    raise TicketUnknown


def forget_old_links(*, at: datetime) -> int:
    """Delete links that open nothing any more. Called once an hour."""
    gone, _each = TicketLink.objects.filter(until__lte=at).delete()
    return gone


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
