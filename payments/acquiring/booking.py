"""The statements of the busiest moment: a gateway says that an attempt was paid.

Two statements on prepared SQL instead of a dozen through models; `tests/payments` holds that they
leave the same rows as the plain way.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.audit.actor import Actor
from compliance.audit.trail import ENTRY_INSERT, entry_values
from compliance.database import prepared
from compliance.numbers import new_number
from payments.acquiring.facts import PaymentFacts, document
from payments.acquiring.states import AttemptState, PaymentState
from payments.callbacks.models import EventType
from payments.channels.base import Trade
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, resolve
from payments.money import Money


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


_LOCK: Final = """
SELECT a.id, a.number, a.channel_id, c.code, a.method, a.state,
       p.id, p.public_id, p.merchant_id, m.public_id, p.livemode, p.merchant_order_no,
       a.amount_minor, a.currency, p.subject, p.state, p.created_at, p.expires_at, p.metadata::text,
       CASE WHEN p.callback_url <> '' THEN p.callback_url ELSE m.callback_url END
  FROM payments_attempt a
  JOIN payments_payment p ON p.id = a.payment_id
  JOIN payments_channel c ON c.id = a.channel_id
  JOIN merchants_merchant m ON m.id = p.merchant_id
 WHERE a.number = %s
   FOR UPDATE OF p, a
"""
# The payment is always locked before its attempts, here and in every other verb.


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


_BOOK: Final = f"""
WITH att AS (
  UPDATE payments_attempt
     SET state = 'succeeded', gateway_number = %(trade_no)s, ended_at = %(now)s, ask_at = NULL
   WHERE id = %(attempt_id)s
), pay AS (
  UPDATE payments_payment
     SET state = 'paid', method = %(method)s, channel_id = %(channel_id)s,
         channel_trade_no = %(trade_no)s, paid_at = %(paid_at)s
   WHERE id = %(payment_id)s
), journal AS (
  INSERT INTO payments_journal (kind, subject, at)
  VALUES ('payment.paid', %(payment)s, %(paid_at)s) RETURNING id
), posted AS (
  INSERT INTO payments_posting (journal_id, account_id, amount_minor)
  SELECT journal.id, side.account, side.minor FROM journal, (VALUES
    (%(debit_account)s::bigint, %(debit_minor)s::bigint),
    (%(credit_account)s::bigint, %(credit_minor)s::bigint)) AS side (account, minor)
), event AS (
  INSERT INTO payments_event
         (public_id, merchant_id, livemode, type, subject, data, created_at)
  VALUES (%(event)s, %(merchant_id)s, %(livemode)s, %(event_type)s, %(payment)s,
          %(data)s::jsonb, %(now)s) RETURNING id
), callback AS (
  INSERT INTO payments_callback (event_id, merchant_id, url, due_at, created_at)
  SELECT event.id, %(merchant_id)s, %(url)s, %(now)s, %(now)s FROM event
   WHERE %(url)s::varchar <> ''
), told AS (
  UPDATE payments_notification SET verdict = 'booked', number = %(number)s
   WHERE id = %(notification_id)s
), audit AS (
  {ENTRY_INSERT}
)
SELECT 1
"""  # noqa: S608  the only insertion is a constant of ours


def book_paid(
    locked: Locked, trade: Trade, *, actor: Actor, notification_id: int | None, now: datetime
) -> None:
    """Make the payment paid: states, journal, event, callback, audit and notification at once.

    One statement. The caller holds both locks and has asked `step_for`.
    """
    paid_at = trade.paid_at or now
    (debit_account, debit_minor), (credit_account, credit_minor) = resolve(
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
        "channel_id": locked.channel_id,
        "trade_no": trade.gateway_number,
        "paid_at": paid_at,
        "now": now,
        "debit_account": debit_account,
        "debit_minor": debit_minor,
        "credit_account": credit_account,
        "credit_minor": credit_minor,
        "event": new_number("evt_"),
        "event_type": EventType.PAYMENT_PAID.value,
        "merchant_id": locked.merchant_id,
        "livemode": locked.livemode,
        "data": json.dumps(document(_as_paid(locked, trade, paid_at)), ensure_ascii=False),
        "url": locked.callback_url,
        "number": locked.number,
        "notification_id": notification_id,
    }
    prepared(_BOOK, values | _evidence(locked, trade, actor, now))


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


def _evidence(locked: Locked, trade: Trade, actor: Actor, now: datetime) -> dict[str, object]:
    return entry_values(
        actor,
        "payment.paid",
        subject=("payment", locked.payment),
        facts={
            "attempt": locked.number,
            "channel": locked.channel,
            "amount": locked.amount.minor,
            "currency": locked.amount.currency,
            "trade_no": trade.gateway_number,
        },
        at=now,
    )
