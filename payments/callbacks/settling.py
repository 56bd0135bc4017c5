"""Writes what came of a try: done, to be tried again, or given up."""

import random
from datetime import datetime
from http import HTTPStatus
from typing import Final

from django.db import transaction

from payments.callbacks.claiming import Claimed
from payments.callbacks.heeding import BUSY, OK, heed
from payments.callbacks.models import TEST, Callback, CallbackState, CallbackTry
from payments.callbacks.rules import next_try, wait_asked
from payments.callbacks.sending import Result

FINAL: Final = frozenset({HTTPStatus.GONE})
"""Statuses after which an address is not asked again."""


@transaction.atomic
def settle(claimed: Claimed, result: Result, *, at: datetime) -> None:
    """Write what came of a try. Does nothing to the callback when the lease was lost to another
    process meanwhile.
    """
    is_test = claimed.kind == TEST
    goes_on = not is_test and result.status not in FINAL
    if claimed.endpoint_id is not None and not is_test:
        # The endpoint before the callback: who switches an endpoint off locks in this order too.
        goes_on = heed(claimed.endpoint_id, result, at=at) and goes_on
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
    again = _again(callback.tries, result, at=at) if goes_on else None
    callback.lease_until, callback.url = None, claimed.url
    if result.status in OK:
        callback.state, callback.due_at, callback.ended_at = CallbackState.DELIVERED, None, at
    elif again is None:
        callback.state, callback.due_at, callback.ended_at = CallbackState.GIVEN_UP, None, at
    else:
        callback.due_at = again
    callback.save(update_fields=["state", "due_at", "ended_at", "lease_until", "url"])


@transaction.atomic
def drop(claimed: Claimed, *, at: datetime) -> None:
    """Give a callback up whose endpoint was switched off before it was sent: no try was made."""
    Callback.objects.filter(
        pk=claimed.id, state=CallbackState.PENDING, tries=claimed.tries
    ).update(
        state=CallbackState.GIVEN_UP, due_at=None, lease_until=None, ended_at=at,
        tries=claimed.tries - 1,
    )  # fmt: skip


def _again(tries: int, result: Result, *, at: datetime) -> datetime | None:
    """When the schedule, and the receiver if it says so, want the next try."""
    again = next_try(tries, at=at, chance=random.random())  # noqa: S311  jitter
    asked = wait_asked(result.wait, at=at) if result.status in BUSY else None
    return max(again, asked) if again and asked else again
