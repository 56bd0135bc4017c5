"""Tickets, what was said in them, and the links by which customers come back."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.columns import SealedTextField
from merchants.accounts.models import Merchant
from merchants.support.states import (
    AuthorKind,
    Priority,
    TicketKind,
    TicketState,
    require_ticket_move,
)

SUBJECT_MAX: Final = 120
TEXT_MAX: Final = 4000

_ENDED: Final = [TicketState.RESOLVED, TicketState.CLOSED]


class Ticket(models.Model):
    """Something that somebody asked support. There are no attachments in this cut."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    kind = models.CharField(pgettext_lazy("ticket", "asked by"), max_length=12, choices=TicketKind)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, related_name="tickets", verbose_name=_("merchant")
    )
    """Null: a customer asks, of whom nothing but an e-mail address is known."""
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("person"),
    )  # fmt: skip
    contact_sealed = SealedTextField(purpose="ticket contact", null=True)
    """Where answers to a customer go."""
    language = models.CharField(max_length=10, blank=True, db_default="")
    """In which letters to a customer are written."""
    subject = models.CharField(pgettext_lazy("ticket", "subject"), max_length=SUBJECT_MAX)
    payment = models.CharField(_("payment"), max_length=32, blank=True, db_default="")
    """The number that the asker gave; nobody has checked whose payment it is. Empty: none."""
    state = models.CharField(
        _("state"), max_length=20, choices=TicketState, default=TicketState.OPEN
    )
    priority = models.CharField(
        _("priority"), max_length=8, choices=Priority, default=Priority.NORMAL
    )
    created_at = models.DateTimeField(_("created at"))
    first_answer_due_at = models.DateTimeField(_("first answer due"))
    resolution_due_at = models.DateTimeField(_("resolution due"))
    is_staff_told = models.BooleanField(default=False, db_default=True)
    """Whether the staff were written to since the asker wrote last; see `digest`."""
    waits_since = models.DateTimeField()
    """Since when the time for its resolution runs: it begins anew when a ticket is reopened."""
    first_answered_at = models.DateTimeField(_("first answered at"), null=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        indexes = [
            models.Index(fields=["merchant", "-id"], name="ticket_of_merchant"),
            models.Index(
                fields=["resolution_due_at"], name="ticket_queue", condition=~Q(state__in=_ENDED)
            ),
            models.Index(fields=["id"], name="ticket_untold", condition=Q(is_staff_told=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(
                        kind=TicketKind.MERCHANT,
                        merchant__isnull=False,
                        asked_by__isnull=False,
                        contact_sealed__isnull=True,
                    )
                    | Q(
                        kind=TicketKind.CUSTOMER,
                        merchant__isnull=True,
                        asked_by__isnull=True,
                        contact_sealed__isnull=False,
                    )
                ),
                name="ticket_has_its_asker",
            ),
            models.CheckConstraint(
                condition=Q(state__in=TicketState.values), name="ticket_state_known"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="ticket_priority_known"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state=TicketState.CLOSED, closed_at__isnull=False)
                    | Q(
                        state=TicketState.RESOLVED,
                        resolved_at__isnull=False,
                        closed_at__isnull=True,
                    )
                    | (~Q(state__in=_ENDED) & Q(resolved_at__isnull=True, closed_at__isnull=True))
                ),
                name="ticket_end_has_its_time",
            ),
            models.CheckConstraint(condition=~Q(subject=""), name="ticket_has_subject"),
        ]

    def __str__(self) -> str:
        return self.public_id

    def move(self, to: TicketState, *, at: datetime) -> None:
        """Change the state. The caller holds this row's lock. Raises IllegalMove."""
        require_ticket_move(TicketState(self.state), to)
        self.state = to
        if to is TicketState.CLOSED:
            self.closed_at = at
        else:
            self.resolved_at = at if to is TicketState.RESOLVED else None
        self.save(update_fields=["state", "resolved_at", "closed_at"])


class Message(models.Model):
    """What somebody wrote in a ticket. Rows are never changed."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages")
    author_kind = models.CharField(max_length=12, choices=AuthorKind)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    """Null: the customer."""
    text = models.TextField(max_length=TEXT_MAX)
    is_internal = models.BooleanField(default=False)
    """A note that only the staff ever see."""
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["ticket", "id"], name="message_of_ticket")]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_internal=False) | Q(author_kind=AuthorKind.STAFF),
                name="message_note_is_of_staff",
            ),
            models.CheckConstraint(
                condition=(
                    Q(author_kind=AuthorKind.CUSTOMER, author__isnull=True)
                    | (~Q(author_kind=AuthorKind.CUSTOMER) & Q(author__isnull=False))
                ),
                name="message_has_its_author",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="message_has_text"),
        ]

    def __str__(self) -> str:
        return f"{self.author_kind} {self.pk}"


class TicketLink(models.Model):
    """A secret address under which a customer reads a ticket. Only its digest is kept."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="links")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
