"""Sends callbacks again at a person's wish: one, or what an endpoint missed in a span of time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.database import prepared
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import ENDPOINTS_MANAGE
from payments.callbacks.endpoints import lock_endpoint, own_endpoint
from payments.callbacks.models import TEST, Callback, Endpoint, Event
from payments.callbacks.replay import send_again
from payments.callbacks.states import EndpointState
from payments.errors import Refusal

RANGE_MAX: Final = 1000
"""So many are sent again at once; a longer span is asked for in parts."""
SPAN_MAX: Final = timedelta(days=31)


class CallbackUnknown(Refusal):
    """The merchant has no such callback."""

    code = "callback_not_found"


class EndpointIsOff(Refusal):
    """Nothing can be sent: the endpoint is switched off. Or it was a test, which is made anew."""

    code = "endpoint_off"


class SpanInvalid(Refusal):
    """The span ends before it begins, or is longer than SPAN_MAX."""

    code = "span_invalid"


class TooManyToResend(Refusal):
    """More than RANGE_MAX events lie in the span."""

    code = "too_many_to_resend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which events an endpoint is to be sent again: those of a time, perhaps only those that it has
    not taken.
    """

    since: datetime
    until: datetime
    only_missed: bool

    def check(self) -> None:
        """Raise SpanInvalid."""
        if not timedelta() < self.until - self.since <= SPAN_MAX:
            raise SpanInvalid(days=SPAN_MAX.days)


@transaction.atomic
def resend_callback(*, access: MerchantAccess, callback: int, at: datetime) -> Event:
    """Send one again, now. Raises AccessRefused, CallbackUnknown or EndpointIsOff."""
    require(access, ENDPOINTS_MANAGE)
    mine = Callback.objects.filter(
        merchant_id=access.merchant_id, event__livemode=access.livemode, pk=callback
    )
    row = mine.select_related("event", "endpoint").first()
    if row is None:
        raise CallbackUnknown(callback=callback)
    return _resend(row, actor=access.actor, reason="", at=at)


@transaction.atomic
def resend_by_staff(*, callback: int, reason: str, actor: Actor, at: datetime) -> Event:
    """The same, by the staff, for a reason. Raises CallbackUnknown or EndpointIsOff."""
    row = Callback.objects.select_related("event", "endpoint").filter(pk=callback).first()
    if row is None:
        raise CallbackUnknown(callback=callback)
    return _resend(row, actor=actor, reason=reason, at=at)


def count_span(access: MerchantAccess, endpoint: str, span: Span) -> int:
    """How many events `resend_span` would send; RANGE_MAX + 1 stands for more.

    Raises AccessRefused, EndpointUnknown or SpanInvalid.
    """
    require(access, ENDPOINTS_MANAGE)
    span.check()
    return _count(own_endpoint(access, endpoint), access, span)


@transaction.atomic
def resend_span(*, access: MerchantAccess, endpoint: str, span: Span, at: datetime) -> int:
    """Owe an endpoint again what happened in a span; how many events. What is still under way to it
    is left alone.

    Raises AccessRefused, EndpointUnknown, SpanInvalid, EndpointIsOff or TooManyToResend.
    """
    span.check()
    row = lock_endpoint(access, endpoint)
    if row.state != EndpointState.ACTIVE:
        raise EndpointIsOff(endpoint=endpoint)
    if _count(row, access, span) > RANGE_MAX:
        raise TooManyToResend(most=RANGE_MAX)
    sent = len(prepared(_SEND, {**_values(row, access, span), "at": at}))
    record(
        access.actor, "endpoint.resent", subject=("merchant", row.merchant.public_id),
        facts={
            "endpoint": row.public_id, "since": span.since.isoformat(),
            "until": span.until.isoformat(), "only_missed": span.only_missed, "events": sent,
        },
        at=at,
    )  # fmt: skip
    return sent


def _resend(row: Callback, *, actor: Actor, reason: str, at: datetime) -> Event:
    event = Event.objects.select_for_update().get(pk=row.event_id)
    if event.type == TEST or not send_again(row, at=at):
        raise EndpointIsOff(callback=row.pk)
    record(
        actor, "event.replayed", subject=("event", event.public_id),
        facts={"endpoint": row.endpoint.public_id if row.endpoint else ""}, reason=reason, at=at,
    )  # fmt: skip
    return event


_WANTED: Final = """
  FROM payments_event e JOIN payments_endpoint p ON p.id = %(endpoint)s
 WHERE e.merchant_id = p.merchant_id AND e.livemode = %(livemode)s
   AND e.created_at >= %(since)s AND e.created_at < %(until)s AND e.type <> %(test)s
   AND p.modes IN ('all', CASE WHEN e.livemode THEN 'live' ELSE 'test' END)
   AND (p.event_types = '{}' OR e.type = ANY(p.event_types))
   AND NOT EXISTS (SELECT FROM payments_callback c
                    WHERE c.event_id = e.id
                      AND (c.endpoint_id = p.id OR (c.endpoint_id IS NULL AND c.url = p.url))
                      AND (c.state = 'pending' OR (%(only_missed)s AND c.state = 'delivered')))
   AND NOT (p.is_fallback AND EXISTS (
         SELECT FROM payments_callback c
          WHERE c.event_id = e.id AND c.endpoint_id IS NULL AND c.url <> p.url))
"""
# The last condition leaves out what went to an address that the payment names, as at first.

_COUNT: Final = f"SELECT count(*) FROM (SELECT 1 {_WANTED} LIMIT %(limit)s) AS found"  # noqa: S608
_SEND: Final = f"""
INSERT INTO payments_callback (event_id, merchant_id, endpoint_id, url, due_at, created_at)
SELECT e.id, e.merchant_id, p.id, p.url, %(at)s, %(at)s {_WANTED} ORDER BY e.id LIMIT %(limit)s
RETURNING id
"""


def _count(row: Endpoint, access: MerchantAccess, span: Span) -> int:
    [(count,)] = prepared(_COUNT, _values(row, access, span))
    return int(count)


def _values(row: Endpoint, access: MerchantAccess, span: Span) -> dict[str, object]:
    return {
        "endpoint": row.pk, "livemode": access.livemode, "since": span.since, "until": span.until,
        "only_missed": span.only_missed, "test": TEST, "limit": RANGE_MAX + 1,
    }  # fmt: skip
