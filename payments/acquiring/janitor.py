"""Finishes what a crash, a lost message or a silent gateway left open."""

from datetime import datetime

from django.db import transaction

from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from payments.acquiring.attempts import ask_about, close_live_attempt
from payments.acquiring.models import Attempt, Payment
from payments.acquiring.pay import request_closing
from payments.acquiring.rules import ASKED_MAX, ask_again_at
from payments.acquiring.states import ASKED, LIVE, AttemptState, PaymentState
from payments.channels.base import Done


def claim_to_ask(*, at: datetime, limit: int) -> list[Attempt]:
    """Take attempts whose gateway should be asked now. Each is ours until its next `ask_at`."""
    with transaction.atomic():
        due = list(
            Attempt.objects.select_for_update(skip_locked=True, of=["self"])
            .select_related("channel", "payment")
            .filter(state__in=ASKED, ask_at__lte=at)
            .order_by("ask_at")[:limit]
        )
        for attempt in due:
            attempt.asked += 1
            attempt.asked_at = at
            attempt.ask_at = ask_again_at(attempt.asked, at=at, expires_at=attempt.expires_at)
            attempt.save(update_fields=["asked", "asked_at", "ask_at"])
        return due


def look_after(attempt: Attempt, *, at: datetime) -> None:
    """Ask about one claimed attempt; close it when closing was wanted or its time is over."""
    outcome = ask_about(attempt, actor=SYSTEM, at=at)
    attempt.refresh_from_db()
    is_over = attempt.expires_at <= at or attempt.payment.close_requested_at is not None
    if attempt.state == AttemptState.CLOSING or (is_over and attempt.state in LIVE):
        close_live_attempt(payment=attempt.payment.public_id, actor=SYSTEM, at=at)
    if attempt.asked == ASKED_MAX and not isinstance(outcome, Done):
        record(
            SYSTEM,
            "attempt.unresolved",
            subject=("payment", attempt.payment.public_id),
            facts={"attempt": attempt.number, "asked": attempt.asked},
            at=at,
        )


def expired(*, at: datetime, limit: int) -> list[str]:
    """Payments whose time is over and whose closing was not yet asked for."""
    return list(
        Payment.objects.filter(
            state=PaymentState.PENDING, expires_at__lte=at, close_requested_at__isnull=True
        )
        .order_by("expires_at")
        .values_list("public_id", flat=True)[:limit]
    )


def expire(payment: str, *, at: datetime) -> None:
    """Close a payment whose time is over, at the gateway first."""
    request_closing(payment=payment, actor=SYSTEM, at=at)
