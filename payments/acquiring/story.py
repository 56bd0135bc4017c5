"""Loads everything that happened to one payment, in a fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compliance.audit.models import AuditEntry
from compliance.audit.queries import latest_entries
from payments.acquiring.models import Attempt, Notification, Payment, Refund
from payments.callbacks.models import Callback, Event
from payments.ledger.models import Journal

ROWS_MAX: Final = 200
"""So many rows of one kind are shown at most; the newest when there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A payment and all rows around it, oldest first."""

    payment: Payment
    attempts: Sequence[Attempt]
    refunds: Sequence[Refund]
    notifications: Sequence[Notification]
    journals: Sequence[Journal]
    """With their postings and accounts."""
    events: Sequence[Event]
    callbacks: Sequence[Callback]
    """With their events and tries."""
    deeds: Sequence[AuditEntry]


def story_of(payment: Payment) -> Story:
    """Everything, for staff. The payment's merchant and channel should be selected with it."""
    attempts = list(payment.attempts.select_related("channel").order_by("pk"))
    refunds = list(payment.refunds.order_by("pk"))
    numbers = [attempt.number for attempt in attempts] + [refund.number for refund in refunds]
    subjects = [payment.public_id, *numbers, *(refund.public_id for refund in refunds)]
    notifications = Notification.objects.filter(number__in=numbers).select_related("channel")
    journals = Journal.objects.filter(subject__in=subjects)
    events, callbacks = told_of(payment, refunds)
    return Story(
        payment=payment,
        attempts=attempts,
        refunds=refunds,
        notifications=list(notifications.order_by("-pk")[:ROWS_MAX])[::-1],
        journals=list(journals.order_by("pk").prefetch_related("postings__account")),
        events=events,
        callbacks=callbacks,
        deeds=latest_entries(ROWS_MAX, subject=f"payment {payment.public_id}")[::-1],
    )


def told_of(payment: Payment, refunds: Sequence[Refund]) -> tuple[list[Event], list[Callback]]:
    """What the merchant was told about a payment and its refunds, and how the telling went."""
    subjects = [payment.public_id, *(refund.public_id for refund in refunds)]
    events = list(
        Event.objects.filter(
            subject__in=subjects, merchant_id=payment.merchant_id, livemode=payment.livemode
        )
        .order_by("pk")
        .defer("data")
    )
    callbacks = (
        Callback.objects.filter(event__in=events)
        .order_by("-pk")
        .select_related("endpoint")
        .prefetch_related("history")[:ROWS_MAX]
    )
    by_key = {event.pk: event for event in events}
    found = list(callbacks)[::-1]
    for callback in found:
        callback.event = by_key[callback.event_id]
    return events, found
