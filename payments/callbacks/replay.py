"""Sends an event's callbacks once more, because its merchant asks."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from compliance.audit.trail import record
from merchants.access import MerchantAccess, require
from payments.callbacks.models import Callback, CallbackState, Event
from payments.callbacks.outbox import tell_endpoints
from payments.callbacks.queries import EventFacts, facts_of, lock_event
from payments.callbacks.states import EndpointState
from payments.errors import Refusal


class NowhereToSend(Refusal):
    """Neither the event's payment nor an endpoint that is switched on names an address."""

    code = "callback_url_missing"


@transaction.atomic
def replay_event(*, access: MerchantAccess, event: str, at: datetime) -> EventFacts:
    """Make the event's callbacks due now, to each address it went to before, or, if to none, to the
    endpoints that want it now. While one is still under way no second one is made.

    Raises EventUnknown or NowhereToSend.
    """
    require(access, "events.read")
    row = lock_event(access, event)
    before = latest_of(row)
    sent = sum(send_again(callback, at=at) for callback in before)
    if not sent and (before or not tell_endpoints(row, at=at)):
        raise NowhereToSend(event=event)
    record(access.actor, "event.replayed", subject=("event", event), at=at)
    return facts_of(row)


def latest_of(event: Event) -> Sequence[Callback]:
    """The newest callback to each of the event's receivers, oldest first. The caller has locked the
    event.
    """
    newest: dict[object, Callback] = {}
    for callback in event.callbacks.select_related("endpoint").order_by("pk"):
        newest[callback.endpoint_id or callback.url] = callback
    return sorted(newest.values(), key=lambda callback: callback.pk)


def send_again(callback: Callback, *, at: datetime) -> bool:
    """Make what waits for the same receiver due now, or a new one; False: its endpoint is off.

    The caller has locked the event.
    """
    endpoint = callback.endpoint
    if endpoint is not None and endpoint.state != EndpointState.ACTIVE:
        return False
    waiting = Callback.objects.filter(
        event_id=callback.event_id, endpoint=endpoint, state=CallbackState.PENDING
    )
    if endpoint is None:
        waiting = waiting.filter(url=callback.url)
    if not waiting.update(due_at=at):
        Callback.objects.create(
            event_id=callback.event_id, merchant_id=callback.merchant_id, endpoint=endpoint,
            url=endpoint.url if endpoint else callback.url, due_at=at, created_at=at,
        )  # fmt: skip
    return True
