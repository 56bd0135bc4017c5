"""Reads endpoints and what was sent to them, for faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from merchants.access import MerchantAccess, require
from payments.callbacks.endpoints import own_endpoint
from payments.callbacks.models import Callback, CallbackState, Endpoint, Event
from payments.callbacks.queries import EventUnknown
from payments.callbacks.states import EndpointState

SHOWN_MAX: Final = 100
"""So many callbacks of one event are shown, the newest."""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """One page of a log, newest first, and the key to ask for the next with (0: there is none)."""

    callbacks: Sequence[Callback]
    next_before: int


def list_endpoints(access: MerchantAccess) -> QuerySet[Endpoint]:
    """The merchant's endpoints, oldest first. Raises AccessRefused."""
    require(access, "events.read")
    mine = Endpoint.objects.filter(merchant_id=access.merchant_id)
    return mine.exclude(state=EndpointState.REMOVED).order_by("pk")


def deliveries_to(
    access: MerchantAccess, endpoint: str, *, state: str, before: int, limit: int
) -> DeliveryPage:
    """What was sent to an endpoint, with events and tries; of one state, if one is named.

    Raises AccessRefused or EndpointUnknown.
    """
    row = own_endpoint(access, endpoint)
    rows = Callback.objects.filter(endpoint=row, event__livemode=access.livemode)
    if state in CallbackState.values:
        rows = rows.filter(state=state)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(_with_tries(rows).order_by("-pk")[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else 0
    return DeliveryPage(found[:limit], more)


def event_with_deliveries(access: MerchantAccess, event: str) -> tuple[Event, Sequence[Callback]]:
    """An event, a test as well, and its callbacks, newest first, with their tries.

    Raises AccessRefused or EventUnknown.
    """
    require(access, "events.read")
    mine = Event.objects.filter(merchant_id=access.merchant_id, livemode=access.livemode)
    row = mine.filter(public_id=event).first()
    if row is None:
        raise EventUnknown(event=event)
    return row, list(_with_tries(row.callbacks.all()).order_by("-pk")[:SHOWN_MAX])


def _with_tries(rows: QuerySet[Callback]) -> QuerySet[Callback]:
    return rows.select_related("event", "endpoint").defer("event__data").prefetch_related("history")
