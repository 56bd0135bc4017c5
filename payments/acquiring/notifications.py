"""Takes in what gateways send us: store, verify, compare, book, and only then acknowledge."""

import hashlib
import json
import logging
import time
from collections import deque
from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.database import prepared
from payments.acquiring.booking import Told, lock_attempt
from payments.acquiring.models import Notification as NotificationRow
from payments.acquiring.models import Verdict
from payments.acquiring.outcomes import Learned, book_at_once, learn_trade
from payments.acquiring.refunds import learn_refund
from payments.channels.base import (
    NotAuthentic,
    Notification,
    RawMessage,
    Reply,
    TradeState,
)
from payments.channels.registry import Line, line
from payments.steps import step

log: Final = logging.getLogger(__name__)

FINAL: Final = frozenset({Verdict.BOOKED, Verdict.LATE, Verdict.ALREADY, Verdict.IGNORED})
"""Verdicts after which a copy of the message needs no work."""

KEY_LENGTH: Final = 128
KEPT_PER_MINUTE: Final = 60
"""A flood of forgeries fills no table: so many are kept a minute by each process, all are
logged.
"""
MINUTE_SECONDS: Final = 60.0
KEPT_BODY_BYTES: Final = 8192
"""How much of a message that proves nothing is kept."""
HEADERS_MAX: Final = 40
HEADER_CHARACTERS_MAX: Final = 1024
HEADERS_NOT_KEPT: Final = frozenset({"authorization", "cookie"})

_STORE: Final = """
INSERT INTO payments_notification (channel_id, key, headers, body, address)
VALUES (%s, %s, %s::jsonb, %s, %s)
ON CONFLICT (channel_id, key) DO UPDATE SET copies = payments_notification.copies + 1
RETURNING id, verdict
"""


_kept_at: Final[deque[float]] = deque(maxlen=KEPT_PER_MINUTE)


def receive(*, channel_code: str, raw: RawMessage, address: str) -> Reply:
    """Handle one notification and say what to answer. Raises ChannelUnknown.

    The answer is given after the commit; a crash before it makes the gateway send again. Copies of
    one message queue up on their payment's row, so that even ten at once book once.
    """
    channel = line(channel_code)
    try:
        message = channel.gateway.read(raw)
    except NotAuthentic as refusal:
        _keep_refused(channel, raw, address=address, reason=refusal.reason)
        return channel.gateway.refuse(refusal.reason)
    step("notification.verified")
    learned = _take_in(channel, message, raw, address=address)
    step("notification.booked")
    if learned.verdict in FINAL:
        return channel.gateway.accept()
    log.warning("notification on %s does not match our order: %s", channel.code, learned.reason)
    return channel.gateway.refuse(learned.reason)


def _take_in(channel: Line, message: Notification, raw: RawMessage, *, address: str) -> Learned:
    key = message.key
    if len(key) > KEY_LENGTH:
        key = hashlib.sha256(key.encode()).hexdigest()
    told = Told(key=key, headers=_headers(raw), body=raw.body, address=address)
    actor = Actor(kind="gateway", id=channel.code, label=channel.name, address=address)
    trade, at = message.trade, raw.received_at
    if trade is not None and book_at_once(channel, trade, told=told, actor=actor, at=at):
        return Learned(Verdict.BOOKED)
    with transaction.atomic():
        if trade is not None:
            lock_attempt(trade.number)  # Before the row of the message, as in every other verb.
        return _learn(channel, message, told, actor=actor, at=at)


def _learn(
    channel: Line, message: Notification, told: Told, *, actor: Actor, at: datetime
) -> Learned:
    """Keep the message and take in what it says, in the caller's transaction."""
    values = [channel.id, told.key, told.headers, told.body, told.address or None]
    [(row_id, verdict)] = prepared(_STORE, values)
    if verdict in FINAL:
        return Learned(Verdict(verdict))
    if message.trade is not None:
        learned = learn_trade(
            channel,
            message.trade,
            source="notification",
            actor=actor,
            at=at,
            notification_id=row_id,
        )
        number = message.trade.number
    elif message.refund is not None:
        learned = learn_refund(channel, message.refund, actor=actor, at=at)
        number = message.refund.number
    else:
        learned, number = Learned(Verdict.IGNORED), ""
    trade = message.trade
    is_written = trade is not None and trade.state is TradeState.PAID
    if learned.verdict is not Verdict.BOOKED or not is_written:  # What books money writes it.
        NotificationRow.objects.filter(pk=row_id).update(
            verdict=learned.verdict, reason=learned.reason, number=number[:64]
        )
    return learned


def _headers(raw: RawMessage) -> str:
    """The headers as evidence: some gateways sign there. A caller cannot make us keep many."""
    names = [name for name in raw.headers if name not in HEADERS_NOT_KEPT][:HEADERS_MAX]
    kept = {name[:64]: raw.headers[name][:HEADER_CHARACTERS_MAX] for name in names}
    return json.dumps({name: value.replace("\0", "") for name, value in kept.items()})


def _keep_refused(channel: Line, raw: RawMessage, *, address: str, reason: str) -> None:
    """Keep one row per distinct message that proves nothing, as evidence of an attack or a wrong
    key.
    """
    log.warning("notification on %s is not authentic: %s", channel.code, reason)
    now = time.monotonic()
    if len(_kept_at) == KEPT_PER_MINUTE and now - _kept_at[0] < MINUTE_SECONDS:
        return
    _kept_at.append(now)
    kept = raw.body[:KEPT_BODY_BYTES]
    key = f"refused:{reason}:{hashlib.sha256(raw.body).hexdigest()}"
    with transaction.atomic():
        values = [channel.id, key, _headers(raw), kept, address or None]
        [(row_id, verdict)] = prepared(_STORE, values)
        if verdict == Verdict.RECEIVED:
            NotificationRow.objects.filter(pk=row_id).update(verdict=Verdict.REFUSED, reason=reason)
