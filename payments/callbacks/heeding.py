"""What endpoints' answers mean for the endpoints: they rest, fail, and are switched off."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.people import joined
from merchants.access import people_who_may
from merchants.accounts.abilities import ENDPOINTS_MANAGE
from payments.callbacks.models import Callback, CallbackState, Endpoint
from payments.callbacks.rules import wait_asked
from payments.callbacks.sending import Result
from payments.callbacks.states import EndpointState

OK: Final = range(200, 300)
BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
FAILS_MAX: Final = timedelta(days=5)
"""Longer than the whole schedule of one callback: by then at least one has been given up."""
OURS: Final = frozenset({"not_signed"})
"""Errors that are no fault of the receiver."""


def heed(endpoint_id: int, result: Result, *, at: datetime) -> bool:
    """Take in how an endpoint answered; whether it is still sent to. Runs in the caller's
    transaction, before the callback's row is locked.
    """
    if result.status in OK:
        troubled = Q(failing_since__isnull=False) | Q(paused_until__isnull=False)
        Endpoint.objects.filter(troubled, pk=endpoint_id).update(
            failing_since=None, paused_until=None
        )
        return True
    endpoint = (
        Endpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("merchant")
        .get(pk=endpoint_id)
    )
    if endpoint.state != EndpointState.ACTIVE:
        return False
    if result.error in OURS:
        return True
    if result.status == HTTPStatus.GONE:
        _stop(endpoint, EndpointState.GONE, at=at)
    elif endpoint.failing_since is not None and at - endpoint.failing_since >= FAILS_MAX:
        _stop(endpoint, EndpointState.FAILED, at=at)
    else:
        _note(endpoint, result, at=at)
    return endpoint.state == EndpointState.ACTIVE


def give_up_waiting(endpoint: Endpoint, *, at: datetime) -> int:
    """Give up what waits for an endpoint that is not sent to any more; how many.

    What is on its way at this moment ends by its own answer. The caller holds the endpoint's lock.
    """
    # By lane, as the index of what waits has it: an endpoint has far more that is delivered.
    lanes = Callback.objects.alias(lane=Coalesce(F("endpoint_id"), -F("merchant_id")))
    waiting = lanes.filter(lane=endpoint.pk, state=CallbackState.PENDING)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    return waiting.filter(free).update(
        state=CallbackState.GIVEN_UP, due_at=None, lease_until=None, ended_at=at
    )


def _note(endpoint: Endpoint, result: Result, *, at: datetime) -> None:
    changed = []
    if endpoint.failing_since is None:
        endpoint.failing_since = at
        changed.append("failing_since")
    until = wait_asked(result.wait, at=at) if result.status in BUSY else None
    if until and (endpoint.paused_until is None or endpoint.paused_until < until):
        endpoint.paused_until = until
        changed.append("paused_until")
    if changed:
        endpoint.save(update_fields=changed)


def _stop(endpoint: Endpoint, to: EndpointState, *, at: datetime) -> None:
    """Switch it off, and write to those who can switch it on again."""
    endpoint.move(to, at=at)
    given_up = give_up_waiting(endpoint, at=at)
    merchant = endpoint.merchant
    record(
        SYSTEM, "endpoint.stopped", subject=("merchant", merchant.public_id),
        facts={"endpoint": endpoint.public_id, "why": str(to), "given_up": given_up},
        before={"state": str(EndpointState.ACTIVE)}, after={"state": str(to)}, at=at,
    )  # fmt: skip
    for person in joined(people_who_may(ENDPOINTS_MANAGE, merchant=merchant.public_id)):
        write_letter(
            person, "endpoint_stopped", at=at, merchant=merchant.public_id, label=endpoint.label,
            business=merchant.name,
            is_gone=to is EndpointState.GONE, days=FAILS_MAX.days,
        )  # fmt: skip
