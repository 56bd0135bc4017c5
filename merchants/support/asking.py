"""Opens tickets: for a merchant's person, and for a customer of whom only an address is known."""

import unicodedata
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.numbers import is_number, new_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import TICKETS_WRITE
from merchants.support.models import SUBJECT_MAX, TEXT_MAX, Message, Ticket
from merchants.support.refusals import PaymentMalformed, TextUnfit
from merchants.support.servicetimes import due_times
from merchants.support.states import AuthorKind, Priority, TicketKind
from merchants.support.telling import tell_customer

_TYPED: Final = frozenset("\n\t")
_UNSEEN: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a line read otherwise than it is written."""


@transaction.atomic
def open_ticket(
    *, access: MerchantAccess, by: User, subject: str, text: str, payment: str = "", at: datetime
) -> Ticket:
    """Ask support for a merchant. Raises AccessRefused, TextUnfit or PaymentMalformed."""
    require(access, TICKETS_WRITE)
    ticket = _create(
        at, subject, payment, kind=TicketKind.MERCHANT, merchant_id=access.merchant_id, asked_by=by
    )
    _first_message(ticket, text, AuthorKind.MERCHANT, by, at=at)
    _tell(access.actor, ticket, at=at, merchant=access.merchant)
    return ticket


@transaction.atomic
def open_customer_ticket(
    *, email: str, language: str, subject: str, text: str, payment: str = "", actor: Actor,
    at: datetime,
) -> Ticket:  # fmt: skip
    """Ask support as a customer; the letter with the link to the answers goes to `email`.

    Anybody can type anybody's address, so that the letter repeats nothing of what was typed.
    Raises TextUnfit or PaymentMalformed.
    """
    ticket = _create(
        at, subject, payment, kind=TicketKind.CUSTOMER, contact_sealed=email, language=language
    )
    _first_message(ticket, text, AuthorKind.CUSTOMER, None, at=at)
    _tell(actor, ticket, at=at)
    tell_customer(ticket, "ticket_opened", at=at)
    return ticket


def fit_text(text: str, *, most: int, field: str) -> str:
    """The text as it is kept. Raises TextUnfit."""
    fit = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    is_typed = all(
        sign in _TYPED or (unicodedata.category(sign) not in _UNSEEN and sign not in _TURNING)
        for sign in fit
    )
    if not fit or len(fit) > most or not is_typed:
        raise TextUnfit(field=field, most=most)
    return fit


def fit_payment(number: str) -> str:
    """A payment's number, or nothing. Raises PaymentMalformed."""
    if number and not is_number(number, "pay_"):
        raise PaymentMalformed
    return number


def _create(at: datetime, subject: str, payment: str, **who: Any) -> Ticket:
    due = due_times(Priority.NORMAL, since=at)
    line = " ".join(fit_text(subject, most=SUBJECT_MAX, field="subject").split())
    return Ticket.objects.create(
        public_id=new_number("tkt_", at=at), subject=line, payment=fit_payment(payment),
        created_at=at, waits_since=at, first_answer_due_at=due.first_answer,
        resolution_due_at=due.resolution,
        **who,
    )  # fmt: skip


def _first_message(
    ticket: Ticket, text: str, kind: AuthorKind, author: User | None, *, at: datetime
) -> None:
    Message.objects.create(
        ticket=ticket, author_kind=kind, author=author, created_at=at,
        text=fit_text(text, most=TEXT_MAX, field="text"),
    )  # fmt: skip


def _tell(actor: Actor, ticket: Ticket, *, at: datetime, merchant: str = "") -> None:
    facts = {"kind": str(ticket.kind), "payment": ticket.payment, "merchant": merchant}
    record(actor, "ticket.opened", subject=("ticket", ticket.public_id), facts=facts, at=at)
