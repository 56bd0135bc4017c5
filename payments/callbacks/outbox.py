"""Writes events and their callbacks, in the transaction of the change that they tell of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.numbers import new_number
from payments.callbacks.models import Callback, Event, EventType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The merchant who is told, and where. An empty address: the event is kept, nothing is sent."""

    merchant_id: int
    livemode: bool
    url: str


def tell(
    reader: Reader, kind: EventType, *, subject: str, data: Mapping[str, Any], at: datetime
) -> Event:
    """Record that something happened, and owe the merchant a callback."""
    event = Event.objects.create(
        public_id=new_number("evt_"),
        merchant_id=reader.merchant_id,
        livemode=reader.livemode,
        type=kind,
        subject=subject,
        data=dict(data),
        created_at=at,
    )
    if reader.url:
        Callback.objects.create(
            event=event, merchant_id=reader.merchant_id, url=reader.url, due_at=at, created_at=at
        )
    return event
