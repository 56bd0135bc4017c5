"""Sends an endpoint an event that says nothing, so that its owner sees how it answers."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.trail import record
from compliance.numbers import new_number
from merchants.access import MerchantAccess
from payments.callbacks.endpoints import lock_endpoint
from payments.callbacks.models import TEST, Callback, Event
from payments.errors import Refusal

AHEAD: Final = timedelta(days=30)
"""A person waits for the answer: a test is due before whatever else waits for the endpoint."""
EVERY: Final = timedelta(seconds=5)


class TriedTooSoon(Refusal):
    """The last test was sent a moment ago."""

    code = "test_too_soon"


@transaction.atomic
def send_test(*, access: MerchantAccess, endpoint: str, at: datetime) -> Event:
    """Owe the endpoint one try, signed like any other. It may be switched off, and its health is
    not judged by it.

    Raises AccessRefused, EndpointUnknown or TriedTooSoon.
    """
    row = lock_endpoint(access, endpoint)
    recent = Callback.objects.filter(endpoint=row).order_by("-pk")[:20].select_related("event")
    if any(one.event.type == TEST and at - one.created_at < EVERY for one in recent):
        raise TriedTooSoon
    event = Event.objects.create(
        public_id=new_number("evt_"), merchant_id=row.merchant_id, livemode=access.livemode,
        type=TEST, subject=row.public_id, created_at=at,
        data={"id": row.public_id, "object": "endpoint", "livemode": access.livemode},
    )  # fmt: skip
    Callback.objects.create(
        event=event, merchant_id=row.merchant_id, endpoint=row, url=row.url, due_at=at - AHEAD,
        created_at=at,
    )  # fmt: skip
    record(
        access.actor, "endpoint.tested", subject=("merchant", row.merchant.public_id),
        facts={"endpoint": row.public_id, "event": event.public_id}, at=at,
    )  # fmt: skip
    return event
