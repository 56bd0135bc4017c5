"""Periodic work of this room. Each task finds due rows, and is safe to run twice and at once."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from payments.acquiring.janitor import claim_to_ask, expire, expired, look_after
from payments.acquiring.refund_approving import give_up_unreleased
from payments.acquiring.refunds import claim_due, pursue
from payments.acquiring.repeats import forget_old_keys

log: Final = logging.getLogger(__name__)

BATCH: Final = 50
RUN_SECONDS: Final = 45.0
"""A silent gateway keeps a worker no longer than this and one call more."""
KEYS_BATCH: Final = 10_000
WAITING_BATCH: Final = 1000

Row = TypeVar("Row")


@job("payments.ask_about_open_attempts", _("Ask gateways about open attempts"), time_limit=300)
def ask_about_open_attempts() -> int:
    """Ask gateways about attempts that wait too long."""
    # Claimed one by one: of a whole batch the last would wait behind silent gateways for minutes.
    claims = (claim_to_ask(at=timezone.now(), limit=1) for _ in range(BATCH))
    return _for_each(claims, lambda attempt: look_after(attempt, at=timezone.now()))


@job("payments.expire_payments", _("Close payments whose time is over"), time_limit=300)
def expire_payments() -> int:
    """Close payments whose time is over."""
    due = expired(at=timezone.now(), limit=BATCH)
    return _for_each(([one] for one in due), lambda payment: expire(payment, at=timezone.now()))


@job("payments.forget_idempotency_keys", _("Forget old idempotency keys"), time_limit=300)
def forget_idempotency_keys() -> int:
    """Delete idempotency keys whose time is over."""
    return forget_old_keys(at=timezone.now(), limit=KEYS_BATCH)


@job("payments.send_due_refunds", _("Send refunds and ask about them"), time_limit=300)
def send_due_refunds() -> int:
    """Send refunds, and ask about those that were sent."""
    # Claimed one by one: a lease must not run out while another refund is being sent.
    claims = (claim_due(at=timezone.now(), limit=1) for _ in range(BATCH))
    return _for_each(claims, lambda refund: pursue(refund, at=timezone.now()))


@job("payments.give_up_unreleased_refunds", _("Give up refunds nobody released"), time_limit=300)
def give_up_unreleased_refunds() -> int:
    """Give up refunds whose second person said no, or nothing for too long."""
    return give_up_unreleased(at=timezone.now(), limit=WAITING_BATCH)


def _for_each(claims: Iterable[list[Row]], do: Callable[[Row], object]) -> int:
    """Work on one row after the other until there is none, or time is up; say how many.

    A fault of one row is logged and keeps no other waiting.
    """
    ends, count = time.monotonic() + RUN_SECONDS, 0
    for claimed in claims:
        for row in claimed:
            count += 1
            try:
                do(row)
            except Exception:
                log.exception("%s could not be worked on", row)
        if not claimed or time.monotonic() > ends:
            break
    return count
