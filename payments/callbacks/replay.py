"""Sends an event's callback once more, because its merchant asks."""

from datetime import datetime

from django.db import transaction

from compliance.audit.trail import record
from merchants.access import MerchantAccess, require
from payments.callbacks.models import Callback, CallbackState
from payments.callbacks.queries import EventFacts, facts_of, lock_event
from payments.errors import Refusal


class NowhereToSend(Refusal):
    """Neither the event's payment nor the merchant named an address."""

    code = "callback_url_missing"


@transaction.atomic
def replay_event(*, access: MerchantAccess, event: str, at: datetime) -> EventFacts:
    """Make the event's callback due now. While one is still under way no second one is made.

    Raises EventUnknown or NowhereToSend.
    """
    require(access, "events.read")
    row = lock_event(access, event)
    latest = row.callbacks.select_for_update().order_by("-pk").first()
    if latest is not None and latest.state == CallbackState.PENDING:
        latest.due_at = at
        latest.save(update_fields=["due_at"])
    else:
        url = row.merchant.callback_url if latest is None else latest.url
        if not url:
            raise NowhereToSend(event=event)
        Callback.objects.create(
            event=row, merchant_id=row.merchant_id, url=url, due_at=at, created_at=at
        )
    record(access.actor, "event.replayed", subject=("event", event), at=at)
    return facts_of(row)
