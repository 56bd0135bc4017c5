"""Delivers due callbacks. Whoever claims a row has a lease on it; a lease that runs out is claimed
again.
"""

import json
import logging
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from compliance.protection.errors import Unreadable
from merchants.accounts.callback_secret import callback_secrets_of
from payments.callbacks.models import Callback, CallbackState, CallbackTry
from payments.callbacks.rules import next_try
from payments.callbacks.sending import Errand, Result, Sender
from payments.callbacks.signing import body_of, sign
from payments.steps import step
from payments.times import time_text

log: Final = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
"""Longer than a try may take; after a crash the row is free again when it ends."""
AT_ONCE: Final = 128
PER_MERCHANT: Final = 16
"""A merchant that answers slowly holds at most so many of the places."""
RUN_SECONDS: Final = 50.0
BATCH: Final = 16
"""So many are claimed in one statement."""
OK: Final = range(200, 300)

_CLAIM: Final = """
UPDATE payments_callback c
   SET lease_until = %(until)s, tries = c.tries + 1
  FROM payments_event e
 WHERE e.id = c.event_id AND c.id IN (
       SELECT id FROM payments_callback
        WHERE state = 'pending' AND due_at <= %(now)s
          AND (lease_until IS NULL OR lease_until <= %(now)s)
          AND merchant_id <> ALL(%(full)s)
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING c.id, c.tries, c.url, c.merchant_id, e.public_id, e.type, e.created_at, e.data
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A callback that is ours to deliver until its lease ends."""

    id: int
    tries: int
    url: str
    merchant_id: int
    event: str
    kind: str
    created_at: datetime
    data: dict[str, Any]


def claim(*, at: datetime, limit: int, full: list[int]) -> list[Claimed]:
    """Take due callbacks, except those of merchants in `full`. One short statement, no lock held
    after.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": at, "until": at + LEASE, "limit": limit, "full": full})
        rows = cursor.fetchall()
    return [_claimed(row) for row in rows]


def _claimed(row: tuple[Any, ...]) -> Claimed:
    number, tries, url, merchant, event, kind, created_at, data = row
    return Claimed(number, tries, url, merchant, event, kind, created_at, json.loads(data))


def errand_of(claimed: Claimed, *, at: datetime) -> Errand:
    """The signed request for a claimed callback."""
    body = body_of(
        event=claimed.event,
        kind=claimed.kind,
        created_at=time_text(claimed.created_at),
        data=claimed.data,
    )
    secrets = callback_secrets_of(claimed.merchant_id)
    message = sign(body, event=claimed.event, at=at, secrets=secrets)
    return Errand(claimed.id, claimed.url, message.headers, message.body)


def settle(claimed: Claimed, result: Result, *, at: datetime) -> None:
    """Write what came of a try. Does nothing when the lease was lost to another process
    meanwhile.
    """
    with transaction.atomic():
        callback = Callback.objects.select_for_update().get(pk=claimed.id)
        if callback.state != CallbackState.PENDING or callback.tries != claimed.tries:
            return
        CallbackTry.objects.create(
            callback=callback,
            number=claimed.tries,
            at=at,
            status=result.status,
            error=result.error,
            duration_ms=result.duration_ms,
            answer=result.answer,
        )
        again = next_try(callback.tries, at=at, chance=random.random())  # noqa: S311  jitter
        callback.lease_until = None
        if result.status in OK:
            callback.state, callback.due_at, callback.ended_at = CallbackState.DELIVERED, None, at
        elif again is None:
            callback.state, callback.due_at, callback.ended_at = CallbackState.GIVEN_UP, None, at
        else:
            callback.due_at = again
        callback.save(update_fields=["state", "due_at", "ended_at", "lease_until"])


def deliver_due(*, run_seconds: float = RUN_SECONDS) -> int:
    """Deliver until nothing is due, or for about `run_seconds`. Says how many tries were made.

    May run in several processes at once.
    """
    ends = time.monotonic() + run_seconds
    under_way: dict[int, Claimed] = {}
    tried = 0
    with Sender(plain_http=settings.DEMO, loopback=settings.DEMO) as sender:
        while True:
            fresh = _claim_for(under_way) if time.monotonic() < ends else []
            for claimed in fresh:
                step("callback.claimed")
                if _set_out(claimed, sender):
                    under_way[claimed.id] = claimed
                else:
                    tried += 1
            if not under_way and not fresh:
                return tried
            # While more may be due, only collect what is ready; otherwise wait for the next answer.
            wait = 0.001 if len(fresh) == BATCH else 0.2
            for result in sender.results(wait_seconds=wait):
                step("callback.answered")
                settle(under_way.pop(result.ref), result, at=timezone.now())
                tried += 1


def _set_out(claimed: Claimed, sender: Sender) -> bool:
    """Sign and send. One merchant's secret that cannot be opened is a failed try of that merchant's
    and stops nobody else's callbacks.
    """
    try:
        errand = errand_of(claimed, at=timezone.now())
    except Unreadable:
        log.exception("callback %s cannot be signed", claimed.event)
        settle(claimed, Result(claimed.id, None, "not_signed", 0, ""), at=timezone.now())
        return False
    sender.submit(errand)
    return True


def _claim_for(under_way: dict[int, Claimed]) -> list[Claimed]:
    """Claim what fits beside the callbacks under way."""
    room = min(AT_ONCE - len(under_way), BATCH)
    if room <= 0:
        return []
    held = Counter(claimed.merchant_id for claimed in under_way.values())
    full = [merchant for merchant, count in held.items() if count >= PER_MERCHANT]
    return claim(at=timezone.now(), limit=room, full=full)
