"""Periodic work of this room. Each task finds due rows, and is safe to run twice and at once."""

import logging
from typing import Final

from celery import shared_task
from django.utils import timezone

from payments.acquiring.janitor import claim_to_ask, expire, expired, look_after
from payments.acquiring.refunds import claim_due, pursue
from payments.acquiring.repeats import forget_old_keys
from payments.channels.registry import ChannelUnknown

log: Final = logging.getLogger(__name__)

BATCH: Final = 50
KEYS_BATCH: Final = 10_000


@shared_task(name="payments.ask_about_open_attempts", time_limit=300)
def ask_about_open_attempts() -> int:
    """Ask gateways about attempts that wait too long."""
    claimed = claim_to_ask(at=timezone.now(), limit=BATCH)
    for attempt in claimed:
        try:
            look_after(attempt, at=timezone.now())
        except ChannelUnknown:
            log.exception("attempt %s names a channel that is gone", attempt.number)
    return len(claimed)


@shared_task(name="payments.expire_payments", time_limit=300)
def expire_payments() -> int:
    """Close payments whose time is over."""
    due = expired(at=timezone.now(), limit=BATCH)
    for payment in due:
        expire(payment, at=timezone.now())
    return len(due)


@shared_task(name="payments.forget_idempotency_keys", time_limit=300)
def forget_idempotency_keys() -> int:
    """Delete idempotency keys whose time is over."""
    return forget_old_keys(at=timezone.now(), limit=KEYS_BATCH)


@shared_task(name="payments.send_due_refunds", time_limit=300)
def send_due_refunds() -> int:
    """Send refunds, and ask about those that were sent."""
    claimed = claim_due(at=timezone.now(), limit=BATCH)
    for refund in claimed:
        pursue(refund, at=timezone.now())
    return len(claimed)
