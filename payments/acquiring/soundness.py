"""Asks whether payments, attempts, refunds and the books tell one story."""

from collections.abc import Iterator
from typing import Final

from django.db import connection

_BREAKS: Final = {
    "paid payment without its journal": """
        SELECT p.public_id FROM payments_payment p WHERE p.state = 'paid' AND NOT EXISTS (
          SELECT FROM payments_journal j
           WHERE j.kind = 'payment.paid' AND j.subject = p.public_id)""",
    "journal of a payment that is not paid": """
        SELECT j.subject FROM payments_journal j LEFT JOIN payments_payment p
            ON p.public_id = j.subject
         WHERE j.kind = 'payment.paid' AND (p.id IS NULL OR p.state <> 'paid')""",
    "journal differs from the payment's amount": """
        SELECT p.public_id FROM payments_payment p
          JOIN payments_journal j ON j.kind = 'payment.paid' AND j.subject = p.public_id
          JOIN payments_posting s ON s.journal_id = j.id
          JOIN payments_account a ON a.id = s.account_id AND a.kind = 'channel_receivable'
         WHERE s.amount_minor <> p.amount_minor OR a.currency <> p.currency
            OR a.livemode <> p.livemode""",
    "paid payment without a succeeded attempt": """
        SELECT p.public_id FROM payments_payment p WHERE p.state = 'paid' AND NOT EXISTS (
          SELECT FROM payments_attempt t WHERE t.payment_id = p.id AND t.state = 'succeeded')""",
    "succeeded attempt of a payment that is not paid": """
        SELECT t.number FROM payments_attempt t JOIN payments_payment p ON p.id = t.payment_id
         WHERE t.state = 'succeeded' AND p.state <> 'paid'""",
    "closed payment with a live attempt": """
        SELECT p.public_id FROM payments_payment p JOIN payments_attempt t ON t.payment_id = p.id
         WHERE p.state = 'closed' AND t.state IN ('created', 'open', 'unknown', 'closing')""",
    "late attempt without journal or refund": """
        SELECT t.number FROM payments_attempt t WHERE t.state = 'late' AND (
          NOT EXISTS (SELECT FROM payments_journal j
                       WHERE j.kind = 'payment.late' AND j.subject = t.number)
          OR NOT EXISTS (SELECT FROM payments_refund r
                          WHERE r.attempt_id = t.id AND r.is_late_return))""",
    "finished refund without its journal": """
        SELECT r.public_id FROM payments_refund r WHERE r.state = 'succeeded' AND NOT EXISTS (
          SELECT FROM payments_journal j WHERE j.subject = r.public_id)""",
    "payment's refunds differ from its sums": """
        SELECT p.public_id FROM payments_payment p LEFT JOIN LATERAL (
          SELECT coalesce(sum(r.amount_minor) FILTER (WHERE r.state = 'succeeded'), 0) AS done,
                 coalesce(sum(r.amount_minor)
                          FILTER (WHERE r.state IN ('awaiting', 'requested', 'sent')), 0) AS moving
            FROM payments_refund r WHERE r.payment_id = p.id AND NOT r.is_late_return) r ON true
         WHERE r.done <> p.refunded_minor OR r.moving <> p.refunding_minor""",
    "refund whose journals do not tell its state": """
        SELECT r.public_id || ' ' || r.state FROM payments_refund r JOIN LATERAL (
          SELECT array_agg(substr(j.kind, 8) ORDER BY j.id) AS told
            FROM payments_journal j WHERE j.subject = r.public_id) j ON true
         WHERE NOT r.is_late_return AND j.told IS DISTINCT FROM CASE r.state
           WHEN 'awaiting' THEN ARRAY['reserved'] WHEN 'requested' THEN ARRAY['reserved']
           WHEN 'sent' THEN ARRAY['reserved', 'sent']
           WHEN 'rejected' THEN ARRAY['reserved', 'rejected']
           ELSE ARRAY['reserved', 'sent', r.state::text] END""",
    "what is held back differs from the refunds that wait": """
        SELECT m.public_id FROM merchants_merchant m JOIN payments_account a
            ON a.kind = 'merchant_reserved' AND a.owner = m.public_id
         WHERE coalesce((SELECT sum(s.amount_minor) FROM payments_posting s
                          WHERE s.account_id = a.id), 0)
            <> -coalesce((SELECT sum(r.amount_minor) FROM payments_refund r
                           WHERE r.merchant_id = m.id AND r.livemode = a.livemode
                             AND r.currency = a.currency
                             AND r.state IN ('awaiting', 'requested')), 0)""",
    "ended refund of a merchant without its event": """
        SELECT r.public_id FROM payments_refund r
         WHERE NOT r.is_late_return AND r.state IN ('succeeded', 'failed', 'rejected')
           AND NOT EXISTS (SELECT FROM payments_event e WHERE e.subject = r.public_id)""",
    "paid or closed payment without its event": """
        SELECT p.public_id FROM payments_payment p WHERE p.state IN ('paid', 'closed')
           AND NOT EXISTS (SELECT FROM payments_event e
                            WHERE e.subject = p.public_id AND e.type = 'payment.' || p.state)""",
}


def breaks() -> Iterator[str]:
    """Every contradiction, one line each."""
    with connection.cursor() as cursor:
        for what, sql in _BREAKS.items():
            cursor.execute(sql)
            for (detail,) in cursor.fetchall():
                yield f"{what}: {detail}"
