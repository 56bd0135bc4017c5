"""Delivers due callbacks: claims them, has them sent, and writes what came of it."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from compliance.protection.errors import Unreadable
from merchants.accounts.callback_secret import callback_secrets_of
from payments.callbacks.claiming import Claimed, claim
from payments.callbacks.models import TEST, Endpoint
from payments.callbacks.places import Places
from payments.callbacks.sending import Errand, Result, Sender
from payments.callbacks.settling import drop, settle
from payments.callbacks.signing import body_of, sign
from payments.callbacks.states import EndpointState
from payments.steps import step
from payments.times import time_text

log: Final = logging.getLogger(__name__)

RUN_SECONDS: Final = 50.0
BATCH: Final = 16
"""So many are claimed in one statement."""


def errand_of(claimed: Claimed, endpoint: Endpoint | None, *, at: datetime) -> Errand:
    """The signed request for a claimed callback. Raises KeyUnknown or Tampered."""
    body = body_of(
        event=claimed.event,
        kind=claimed.kind,
        created_at=time_text(claimed.created_at),
        data=claimed.data,
    )
    secrets = secrets_of(claimed.merchant_id, endpoint, at=at)
    message = sign(body, event=claimed.event, at=at, secrets=secrets)
    return Errand(claimed.id, claimed.url, message.headers, message.body)


def secrets_of(merchant_id: int, endpoint: Endpoint | None, *, at: datetime) -> list[str]:
    """The secrets to sign with now: the endpoint's own, or the merchant's default; two of them
    while one replaces the other.
    """
    if endpoint is None or endpoint.secret_sealed is None:
        return callback_secrets_of(merchant_id)
    held = [endpoint.secret_sealed]
    if endpoint.secret_before_until and endpoint.secret_before_until > at:
        held.append(endpoint.secret_before_sealed)
    return [secret.open() for secret in held]


def deliver_due(*, run_seconds: float = RUN_SECONDS) -> int:
    """Deliver until nothing is due, or for about `run_seconds`. Says how many tries were made.

    May run in several processes at once.
    """
    ends = time.monotonic() + run_seconds
    under_way: dict[int, Claimed] = {}
    places = Places()
    tried = 0
    with Sender(plain_http=settings.DEMO, loopback=settings.DEMO) as sender:
        while True:
            fresh = _claim_for(places) if time.monotonic() < ends else []
            endpoints = _endpoints_of(fresh)
            for claimed in fresh:
                step("callback.claimed")
                sent = _set_out(claimed, endpoints, sender)
                if sent is None:
                    tried += 1
                    continue
                under_way[sent.id] = sent
                places.take(sent)
                if sent.endpoint_id is not None and endpoints[sent.endpoint_id].failing_since:
                    places.note(sent.lane, is_failing=True)
            if not under_way and not fresh:
                return tried
            # While more may be due, only collect what is ready; otherwise wait for the next answer.
            wait = 0.001 if len(fresh) == BATCH else 0.2
            for result in sender.results(wait_seconds=wait):
                step("callback.answered")
                claimed = under_way.pop(result.ref)
                places.leave(claimed)
                places.note(claimed.lane, is_failing=result.status is None)
                settle(claimed, result, at=timezone.now())
                tried += 1


def _set_out(claimed: Claimed, endpoints: dict[int, Endpoint], sender: Sender) -> Claimed | None:
    """Sign and send; what was sent. One merchant's secret that cannot be opened is a failed try of
    that merchant's and stops nobody else's callbacks.
    """
    endpoint = endpoints[claimed.endpoint_id] if claimed.endpoint_id is not None else None
    now = timezone.now()
    if endpoint is not None:
        if endpoint.state != EndpointState.ACTIVE and claimed.kind != TEST:
            drop(claimed, at=now)
            return None
        claimed = replace(claimed, url=endpoint.url)
    try:
        errand = errand_of(claimed, endpoint, at=now)
    except Unreadable:
        log.exception("callback %s cannot be signed", claimed.event)
        settle(claimed, Result(claimed.id, None, "not_signed", 0, ""), at=now)
        return None
    sender.submit(errand)
    return claimed


def _endpoints_of(fresh: Sequence[Claimed]) -> dict[int, Endpoint]:
    """The endpoints of claimed callbacks as they stand now, in one statement, or in none."""
    keys = {one.endpoint_id for one in fresh if one.endpoint_id is not None}
    return Endpoint.objects.in_bulk(keys) if keys else {}


def _claim_for(places: Places) -> list[Claimed]:
    """Claim what fits beside the callbacks under way."""
    room = min(places.free, BATCH)
    return claim(at=timezone.now(), limit=room, crowded=places.crowded()) if room > 0 else []
