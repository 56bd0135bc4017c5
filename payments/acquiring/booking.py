"""The statements of the busiest moment: a gateway says that an attempt was paid.

The usual news is looked up, compared and booked by one statement, instead of a transaction with a
dozen statements through models. Whatever is unusual takes the locks and goes the long way;
`tests/payments` holds that both leave the same rows.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.audit.actor import Actor
from compliance.audit.trail import entry_insert, entry_values
from compliance.database import prepared
from compliance.numbers import new_number
from payments.acquiring.facts import PaymentFacts, document
from payments.acquiring.states import LIVE, AttemptState, PaymentState
from payments.acquiring.tokens import checkout_pages
from payments.callbacks.models import EventType
from payments.callbacks.outbox import fan_out
from payments.channels.base import Trade
from payments.channels.registry import Line
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, resolve
from payments.money import Money
from payments.times import time_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """An attempt and its payment as they are while we hold both rows' locks."""

    attempt_id: int
    number: str
    channel_id: int
    channel: str
    method: str
    attempt_state: AttemptState
    payment_id: int
    payment: str
    merchant_id: int
    merchant: str
    livemode: bool
    merchant_order_no: str
    amount: Money
    subject: str
    payment_state: PaymentState
    created_at: datetime
    expires_at: datetime
    metadata: dict[str, object]
    callback_url: str
    """That the payment names, or ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notification as it is kept."""

    key: str
    headers: str
    body: bytes
    address: str


_LOCK: Final = """
SELECT a.id, a.number, a.channel_id, c.code, a.method, a.state,
       p.id, p.public_id, p.merchant_id, m.public_id, p.livemode, p.merchant_order_no,
       a.amount_minor, a.currency, p.subject, p.state, p.created_at, p.expires_at, p.metadata::text,
       p.callback_url
  FROM payments_attempt a
  JOIN payments_payment p ON p.id = a.payment_id
  JOIN payments_channel c ON c.id = a.channel_id
  JOIN merchants_merchant m ON m.id = p.merchant_id
 WHERE a.number = %s
   FOR UPDATE OF p, a
"""
# The payment is always locked before its attempts, and both before a notification of theirs is
# kept, here and in every other verb.


def lock_attempt(number: str) -> Locked | None:
    """Lock the attempt and its payment until the end of the transaction. None: no such attempt."""
    rows = prepared(_LOCK, [number])
    if not rows:
        return None
    row = rows[0]
    return Locked(
        attempt_id=row[0], number=row[1], channel_id=row[2], channel=row[3], method=row[4],
        attempt_state=AttemptState(row[5]), payment_id=row[6], payment=row[7],
        merchant_id=row[8], merchant=row[9], livemode=row[10], merchant_order_no=row[11],
        amount=Money(row[12], row[13]), subject=row[14], payment_state=PaymentState(row[15]),
        created_at=row[16], expires_at=row[17], metadata=json.loads(row[18]),
        callback_url=row[19],
    )  # fmt: skip


_MARK_PAID: Final = f"""
), att AS (
  UPDATE payments_attempt
     SET state = 'succeeded', gateway_number = %(trade_no)s, ended_at = %(now)s, ask_at = NULL
    FROM held WHERE payments_attempt.id = held.attempt_id
), pay AS (
  UPDATE payments_payment
     SET state = 'paid', method = held.method, channel_id = %(channel_id)s,
         channel_trade_no = %(trade_no)s, paid_at = %(paid_at)s
    FROM held WHERE payments_payment.id = held.payment_id
), journal AS (
  INSERT INTO payments_journal (kind, subject, at)
  SELECT 'payment.paid', held.payment, %(paid_at)s FROM held RETURNING id
), posted AS (
  INSERT INTO payments_posting (journal_id, account_id, amount_minor)
  SELECT journal.id, side.account, side.minor FROM journal, held, LATERAL (
    VALUES (held.receivable, %(minor)s::bigint), (held.payable, -%(minor)s::bigint)
  ) AS side (account, minor)
), event AS (
  INSERT INTO payments_event
         (public_id, merchant_id, livemode, type, subject, data, created_at)
  SELECT %(event)s, held.merchant_id, held.livemode, %(event_type)s, held.payment, held.data,
         %(now)s FROM held RETURNING id, type
), callback AS ({
    fan_out(
        told="event, held",
        event="event.id",
        merchant="held.merchant_id",
        livemode="held.livemode",
        kind="event.type",
        own="held.url",
        at="%(now)s",
    )
}), audit AS (
"""  # noqa: S608  constants of ours
# Every part reads `held`: where that finds no row, nothing at all is written.
_ENTRY: Final = entry_insert(subject_id="held.payment")

_BOOK_LOCKED: Final = f"""
WITH held AS (
  SELECT %(attempt_id)s::bigint AS attempt_id, %(payment_id)s::bigint AS payment_id,
         %(payment)s::varchar AS payment, %(method)s::varchar AS method,
         %(merchant_id)s::bigint AS merchant_id, %(livemode)s::boolean AS livemode,
         %(url)s::varchar AS url, %(data)s::jsonb AS data,
         %(receivable)s::bigint AS receivable, %(payable)s::bigint AS payable
{_MARK_PAID} {_ENTRY} FROM held
), noted AS (
  UPDATE payments_notification SET verdict = 'booked', number = %(number)s
   WHERE id = %(notification_id)s
)
SELECT 1
"""  # noqa: S608  all insertions are constants of ours

_BOOK_WAITING: Final = f"""
WITH held AS (
  SELECT a.id AS attempt_id, p.id AS payment_id, p.public_id AS payment, a.method,
         p.merchant_id, p.livemode,
         p.callback_url AS url,
         receivable.id AS receivable, payable.id AS payable,
         jsonb_build_object(
           'id', p.public_id, 'object', 'payment', 'merchant_order_no', p.merchant_order_no,
           'amount', p.amount_minor, 'currency', p.currency, 'subject', p.subject,
           'status', 'paid', 'amount_refunded', p.refunded_minor, 'method', a.method,
           'channel', %(channel)s::text, 'channel_trade_no', nullif(%(trade_no)s::text, ''),
           'checkout_url', %(pages)s::text || p.checkout_token || '/',
           'created_at', {time_sql("p.created_at")}, 'expires_at', {time_sql("p.expires_at")},
           'paid_at', {time_sql("%(paid_at)s::timestamptz")}, 'closed_at', NULL,
           'metadata', p.metadata, 'livemode', p.livemode) AS data
    FROM payments_attempt a
    JOIN payments_payment p ON p.id = a.payment_id
    JOIN merchants_merchant m ON m.id = p.merchant_id
    JOIN payments_account receivable
      ON receivable.kind = 'channel_receivable' AND receivable.owner = %(channel)s
     AND receivable.currency = a.currency AND receivable.livemode = p.livemode
    JOIN payments_account payable
      ON payable.kind = 'merchant_payable' AND payable.owner = m.public_id
     AND payable.currency = a.currency AND payable.livemode = p.livemode
   WHERE a.number = %(number)s AND a.channel_id = %(channel_id)s
     AND a.amount_minor = %(minor)s AND a.currency = %(currency)s
     AND a.state = ANY(string_to_array(%(live)s, ',')) AND p.state = 'pending'
     AND p.checkout_token <> ''
     FOR UPDATE OF p, a
{_MARK_PAID} {_ENTRY} FROM held
), kept AS (
  INSERT INTO payments_notification (channel_id, key, headers, body, address, verdict, number)
  SELECT %(channel_id)s, %(key)s, %(headers)s::jsonb, %(body)s, %(address)s::inet, 'booked',
         %(number)s
    FROM held
  ON CONFLICT (channel_id, key) DO UPDATE
     SET copies = payments_notification.copies + 1, verdict = 'booked', reason = '',
         number = excluded.number
)
SELECT 1 FROM held
"""  # noqa: S608  as above
_LIVE: Final = ",".join(sorted(LIVE))


def book_paid(
    locked: Locked, trade: Trade, *, actor: Actor, notification_id: int | None, now: datetime
) -> None:
    """Make the payment paid: states, journal, event, callback, audit and notification at once.

    One statement. The caller holds both locks and has asked `step_for`.
    """
    paid_at = trade.paid_at or now
    (receivable, _minor), (payable, _minus) = resolve(
        [
            debit(AccountKind.CHANNEL_RECEIVABLE, locked.channel, locked.amount),
            credit(AccountKind.MERCHANT_PAYABLE, locked.merchant, locked.amount),
        ],
        livemode=locked.livemode,
    )
    values = {
        "attempt_id": locked.attempt_id,
        "payment_id": locked.payment_id,
        "payment": locked.payment,
        "method": locked.method,
        "receivable": receivable,
        "payable": payable,
        "merchant_id": locked.merchant_id,
        "livemode": locked.livemode,
        "data": json.dumps(document(_as_paid(locked, trade, paid_at)), ensure_ascii=False),
        "url": locked.callback_url,
        "notification_id": notification_id,
        **_values(locked.number, locked.channel_id, trade, locked.amount, now=now),
        **_evidence(locked.number, locked.channel, trade, locked.amount, actor=actor, now=now),
    }
    prepared(_BOOK_LOCKED, values)


def book_waiting(
    line: Line, trade: Trade, amount: Money, *, told: Told, actor: Actor, now: datetime
) -> bool:
    """Make the payment paid that waits for just this amount on this channel, and keep the message.

    One statement, a transaction of its own when there is none. False: nothing waits for it, or an
    account must be opened first; nothing was written.
    """
    values = {
        "channel": line.code,
        "currency": amount.currency,
        "live": _LIVE,
        "pages": checkout_pages(),
        "key": told.key,
        "headers": told.headers,
        "body": told.body,
        "address": told.address or None,
        **_values(trade.number, line.id, trade, amount, now=now),
        **_evidence(trade.number, line.code, trade, amount, actor=actor, now=now),
    }
    return bool(prepared(_BOOK_WAITING, values))


def _values(
    number: str, channel_id: int, trade: Trade, amount: Money, *, now: datetime
) -> dict[str, object]:
    return {
        "number": number,
        "channel_id": channel_id,
        "trade_no": trade.gateway_number,
        "minor": amount.minor,
        "paid_at": trade.paid_at or now,
        "now": now,
        "event": new_number("evt_"),
        "event_type": EventType.PAYMENT_PAID.value,
    }


def _as_paid(locked: Locked, trade: Trade, paid_at: datetime) -> PaymentFacts:
    """The payment as it will be when the statement is done."""
    return PaymentFacts(
        id=locked.payment,
        livemode=locked.livemode,
        merchant_order_no=locked.merchant_order_no,
        amount=locked.amount,
        subject=locked.subject,
        status=PaymentState.PAID,
        created_at=locked.created_at,
        expires_at=locked.expires_at,
        amount_refunded=Money(0, locked.amount.currency),
        method=locked.method,
        channel=locked.channel,
        channel_trade_no=trade.gateway_number,
        paid_at=paid_at,
        metadata=locked.metadata,
    )


def _evidence(
    number: str, channel: str, trade: Trade, amount: Money, *, actor: Actor, now: datetime
) -> dict[str, object]:
    """The audit entry's values; its subject is in the statement."""
    values = entry_values(
        actor,
        "payment.paid",
        subject=("payment", ""),
        facts={
            "attempt": number,
            "channel": channel,
            "amount": amount.minor,
            "currency": amount.currency,
            "trade_no": trade.gateway_number,
        },
        at=now,
    )
    del values["audit_subject_id"]
    return values
