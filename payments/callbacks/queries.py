"""Reads events for faces. Whatever a merchant can reach takes a MerchantAccess and obeys it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from merchants.access import MerchantAccess, require
from payments.callbacks.models import TEST, Callback, Event
from payments.errors import Refusal
from payments.times import time_text


class EventUnknown(Refusal):
    """No event of this merchant and mode has this number. Another merchant's answers the same."""

    code = "event_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What a merchant looks for. Empty fields do not narrow."""

    type: str = ""
    created_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFacts:
    """How far the latest callback of an event has come. Where there are several receivers, the
    portal shows all.
    """

    url: str
    state: str
    tries: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What a merchant may know of an event. No callback: there was no address to send it to."""

    id: str
    type: str
    livemode: bool
    data: Mapping[str, Any]
    created_at: datetime
    callback: CallbackFacts | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page, newest first, and the key to ask for the next with (0: there is none)."""

    events: Sequence[EventFacts]
    next_before: int


def get_event(access: MerchantAccess, public_id: str) -> EventFacts:
    """One event. Raises EventUnknown."""
    require(access, "events.read")
    return facts_of(_row(_of(access), public_id))


def list_events(
    access: MerchantAccess, wanted: EventFilter, *, before: int, limit: int
) -> EventPage:
    """A page of events, newest first, by key and never by offset. `before` 0 starts at the top."""
    require(access, "events.read")
    rows = _of(access)
    if wanted.type:
        rows = rows.filter(type=wanted.type)
    if wanted.created_after:
        rows = rows.filter(created_at__gte=wanted.created_after)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else 0
    latest = _latest_callbacks(found[:limit])
    return EventPage([_facts(event, latest.get(event.pk)) for event in found[:limit]], more)


def lock_event(access: MerchantAccess, public_id: str) -> Event:
    """The row, locked, for a verb of this room. Raises EventUnknown."""
    return _row(_of(access).select_for_update(), public_id)


def facts_of(event: Event) -> EventFacts:
    """Read the facts from a row."""
    return _facts(event, _latest_callbacks([event]).get(event.pk))


def _of(access: MerchantAccess) -> QuerySet[Event]:
    """The merchant's events. Tests of an endpoint tell of nothing, and are none."""
    return Event.objects.filter(merchant_id=access.merchant_id, livemode=access.livemode).exclude(
        type=TEST
    )


def _row(events: QuerySet[Event], public_id: str) -> Event:
    event = events.filter(public_id=public_id).first()
    if event is None:
        raise EventUnknown(event=public_id)
    return event


def _latest_callbacks(events: Sequence[Event]) -> dict[int, Callback]:
    """The newest callback of each event, in one statement."""
    found = Callback.objects.filter(event__in=events).order_by("event_id", "-pk")
    return {callback.event_id: callback for callback in found.distinct("event_id")}


def _callback_facts(callback: Callback) -> CallbackFacts:
    return CallbackFacts(
        url=callback.url, state=callback.state, tries=callback.tries, due_at=callback.due_at
    )


def _facts(event: Event, callback: Callback | None) -> EventFacts:
    return EventFacts(
        id=event.public_id,
        type=event.type,
        livemode=event.livemode,
        data=event.data,
        created_at=event.created_at,
        callback=_callback_facts(callback) if callback else None,
    )


def document(facts: EventFacts) -> dict[str, Any]:
    """The event object of the REST interface: what a callback carries, and how its sending goes."""
    callback = facts.callback
    return {
        "id": facts.id,
        "object": "event",
        "type": facts.type,
        "created_at": time_text(facts.created_at),
        "livemode": facts.livemode,
        "data": {"object": dict(facts.data)},
        "callback": _callback_document(callback) if callback else None,
    }


def _callback_document(callback: CallbackFacts) -> dict[str, Any]:
    return {
        "url": callback.url,
        "status": callback.state,
        "tries": callback.tries,
        "next_try_at": time_text(callback.due_at) if callback.due_at else None,
    }
