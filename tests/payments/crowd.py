"""Thousands of rows at once, for stories about lists. Made by SQL, as verbs would take minutes."""

import json
from typing import Any, Final

from django.db import connection

from payments.acquiring.models import Payment
from payments.channels.models import Channel
from tests.cast import NOON, Shop

_PAYMENTS: Final = """
INSERT INTO payments_payment (public_id, merchant_id, livemode, merchant_order_no, amount_minor,
       currency, subject, fingerprint, state, method, channel_id, channel_trade_no,
       created_at, expires_at, paid_at, closed_at)
SELECT 'pay_' || %(name)s || n, %(merchant)s, false, 'C' || %(name)s || n, 100 + n, 'CNY', '绿茶',
       '\\x00', CASE WHEN n %% %(rare)s = 0 THEN 'closed' ELSE 'paid' END, 'first', %(channel)s,
       'GP' || %(name)s || n,
       t, t + interval '30 minutes',
       CASE WHEN n %% %(rare)s <> 0 THEN t END, CASE WHEN n %% %(rare)s = 0 THEN t END
  FROM generate_series(1, %(count)s) AS n,
       LATERAL (SELECT %(noon)s + (n - %(count)s) * interval '1 minute' AS t) AS time
"""
_OTHERS: Final = (
    """
INSERT INTO payments_attempt (number, payment_id, channel_id, method, product, state, amount_minor,
       currency, gateway_number, created_at, expires_at, ended_at)
SELECT 'att' || substr(public_id, 5), id, channel_id, method, 'qr',
       CASE state WHEN 'paid' THEN 'succeeded' ELSE 'closed' END, amount_minor, currency,
       'G' || channel_trade_no, created_at, expires_at, created_at
  FROM payments_payment WHERE public_id LIKE 'pay_' || %(name)s || '%%'
""",
    """
INSERT INTO payments_notification (channel_id, key, body, number, verdict, received_at)
SELECT channel_id, 'n-' || number, '\\x7b7d', number, 'booked', created_at
  FROM payments_attempt WHERE number LIKE 'att' || %(name)s || '%%'
""",
    """
WITH opened AS (
  INSERT INTO payments_account (kind, owner, currency, livemode)
  VALUES ('bank', %(name)s, 'CNY', false), ('suspense', %(name)s, 'CNY', false) RETURNING id
), booked AS (
  INSERT INTO payments_journal (kind, subject, at, created_at)
  SELECT 'payment.paid', public_id, created_at, created_at
    FROM payments_payment WHERE public_id LIKE 'pay_' || %(name)s || '%%' RETURNING id
)
INSERT INTO payments_posting (journal_id, account_id, amount_minor)
SELECT booked.id, side.account, side.minor FROM booked,
       LATERAL (SELECT min(id), 100 FROM opened UNION ALL SELECT max(id), -100 FROM opened)
            AS side (account, minor)
""",
    """
INSERT INTO payments_refund (public_id, number, payment_id, attempt_id, is_late_return,
       amount_minor, currency, reason, state, created_at, ended_at)
SELECT 'ref_' || %(name)s || a.id, 'ref' || %(name)s || a.id, a.payment_id, a.id, true,
       a.amount_minor, a.currency, 'late', 'succeeded', a.created_at, a.created_at
  FROM payments_attempt a WHERE a.number LIKE 'att' || %(name)s || '%%'
""",
    """
INSERT INTO payments_event (public_id, merchant_id, livemode, type, subject, data, created_at)
SELECT 'evt_' || %(name)s || id, merchant_id, livemode, 'payment.' || state, public_id,
       jsonb_build_object('id', public_id, 'amount', amount_minor, 'currency', currency), created_at
  FROM payments_payment WHERE public_id LIKE 'pay_' || %(name)s || '%%'
""",
    """
INSERT INTO payments_callback (event_id, merchant_id, url, state, tries, created_at, ended_at)
SELECT id, merchant_id, 'https://tea.example/callbacks', 'delivered', 1, created_at, created_at
  FROM payments_event WHERE public_id LIKE 'evt_' || %(name)s || '%%'
""",
    """
INSERT INTO payments_callbacktry (callback_id, number, at, status, error, duration_ms, answer)
SELECT id, 1, created_at, 200, '', 12, 'ok' FROM payments_callback
 WHERE id NOT IN (SELECT callback_id FROM payments_callbacktry)
""",
)
HOT: Final = (
    "payment", "attempt", "notification", "journal", "posting", "refund", "event", "callback",
    "callbacktry",
)  # fmt: skip

GATHERING: Final = {"Sort", "Aggregate", "Hash", "Unique"}
"""Steps that need all rows below them before they give the first."""


def gather(shop: Shop, count: int, *, rare: int = 7, name: str = "crowd") -> None:
    """A payment a minute until noon, with all that belongs to it. Every `rare`th closed unpaid."""
    values: dict[str, Any] = {
        "merchant": shop.merchant.pk, "channel": Channel.objects.earliest("pk").pk,
        "count": count, "rare": rare, "noon": NOON, "name": name,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PAYMENTS, values)
        for statement in _OTHERS:
            cursor.execute(statement, values)
        for table in HOT:
            cursor.execute(f"ANALYZE payments_{table}")
    assert Payment.objects.filter(merchant=shop.merchant).count() >= count


def scanned(sql: str, params: Any = None) -> set[str]:
    """The growing tables that a statement would have to read from end to end.

    Tables as small as here are read whole for choice. That is switched off, so that it is seen only
    where no index helps. Walking along an index counts as well, unless a condition bounds the walk
    or a limit ends it.
    """
    with connection.cursor() as cursor:
        for habit in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{habit} = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
        for habit in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{habit} = on")
    found: set[str] = set()
    waiting = [
        (entry["Plan"], False) for entry in (json.loads(plan) if isinstance(plan, str) else plan)
    ]
    while waiting:
        node, is_limited = waiting.pop()
        kind = node["Node Type"]
        if kind == "Seq Scan" or ("Index" in kind and not (is_limited or "Index Cond" in node)):
            found.add(node.get("Relation Name", ""))
        is_limited = kind == "Limit" or (is_limited and kind not in GATHERING)
        waiting += [(below, is_limited) for below in node.get("Plans", [])]
    return found & {f"payments_{table}" for table in HOT}
