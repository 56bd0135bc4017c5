"""Writes events and their callbacks, in the transaction of the change that they tell of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from compliance.database import prepared
from compliance.numbers import new_number
from payments.callbacks.models import Event, EventType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The merchant who is told. `url` is the address that the payment names, or ""."""

    merchant_id: int
    livemode: bool
    url: str


def fan_out(
    *, told: str, event: str, merchant: str, livemode: str, kind: str, own: str, at: str
) -> str:
    """The insertion of one callback for each address that wants an event, as SQL.

    All arguments are SQL of ours, never values: `told` what to select from, the others columns of
    it or parameters. The endpoints are read in this very statement, so that what their owner
    changed a moment ago counts. An address that the payment names comes instead of endpoints that
    yield to it, and nothing is sent to one address twice.
    """
    return f"""
  INSERT INTO payments_callback (event_id, merchant_id, endpoint_id, url, due_at, created_at)
  SELECT {event}, {merchant}, target.endpoint_id, target.url, {at}, {at} FROM {told}, LATERAL (
    SELECT NULL::bigint AS endpoint_id, {own} AS url WHERE {own} <> ''
    UNION ALL
    SELECT p.id, p.url FROM payments_endpoint p
     WHERE p.merchant_id = {merchant} AND p.state = 'active'
       AND p.modes IN ('all', CASE WHEN {livemode} THEN 'live' ELSE 'test' END)
       AND (p.event_types = '{{}}' OR {kind} = ANY(p.event_types))
       AND ({own} = '' OR (NOT p.is_fallback AND p.url <> {own}))
  ) AS target
"""  # noqa: S608  see above


_TELL: Final = f"""
WITH event AS (
  INSERT INTO payments_event (public_id, merchant_id, livemode, type, subject, data, created_at)
  VALUES (%(event)s, %(merchant_id)s, %(livemode)s, %(type)s, %(subject)s, %(data)s::jsonb, %(at)s)
  RETURNING id, merchant_id, livemode, type, created_at
), callbacks AS ({
    fan_out(
        told="event",
        event="event.id",
        merchant="event.merchant_id",
        livemode="event.livemode",
        kind="event.type",
        own="%(url)s::varchar",
        at="event.created_at",
    )
})
SELECT id FROM event
"""  # noqa: S608  constants of ours


def tell(
    reader: Reader, kind: EventType, *, subject: str, data: Mapping[str, Any], at: datetime
) -> str:
    """Record that something happened, and owe the merchant a callback for each address that wants
    to know. One statement. Returns the event's number.
    """
    number = new_number("evt_")
    values = {
        "event": number, "merchant_id": reader.merchant_id, "livemode": reader.livemode,
        "type": kind.value, "subject": subject, "url": reader.url, "at": at,
        "data": json.dumps(data, ensure_ascii=False),
    }  # fmt: skip
    prepared(_TELL, values)
    return number


_AGAIN: Final = (
    fan_out(
        told="payments_event e", event="e.id", merchant="e.merchant_id", livemode="e.livemode",
        kind="e.type", own="''::varchar", at="%(at)s",
    )
    + "WHERE e.id = %(id)s RETURNING id"
)  # fmt: skip


def tell_endpoints(event: Event, *, at: datetime) -> int:
    """Owe an event to the endpoints that want it now; says to how many."""
    return len(prepared(_AGAIN, {"id": event.pk, "at": at}))
