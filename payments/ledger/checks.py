"""Asks the books whether they are sound."""

from collections.abc import Iterator
from typing import Final

from django.db import connection

_BREAKS: Final = {
    "journal does not balance": """
        SELECT j.kind || ' ' || j.subject || ' ' || a.currency || ' ' || sum(p.amount_minor)
          FROM payments_posting p
          JOIN payments_account a ON a.id = p.account_id
          JOIN payments_journal j ON j.id = p.journal_id
         GROUP BY j.id, a.currency, a.livemode HAVING sum(p.amount_minor) <> 0""",
    "journal has no postings": """
        SELECT j.kind || ' ' || j.subject FROM payments_journal j
         WHERE NOT EXISTS (SELECT FROM payments_posting p WHERE p.journal_id = j.id)""",
    "checkpoint differs from its postings": """
        SELECT a.kind || ':' || a.owner || ' at posting ' || c.posting_id
          FROM payments_checkpoint c JOIN payments_account a ON a.id = c.account_id
         WHERE c.balance_minor <> (SELECT coalesce(sum(p.amount_minor), 0) FROM payments_posting p
                WHERE p.account_id = c.account_id AND p.id <= c.posting_id)""",
    "a merchant owes us": """
        SELECT a.owner || ' ' || a.currency || ' ' || sum(p.amount_minor)
          FROM payments_posting p JOIN payments_account a ON a.id = p.account_id
         WHERE a.kind = 'merchant_payable'
         GROUP BY a.id HAVING sum(p.amount_minor) > 0""",
}


def breaks() -> Iterator[str]:
    """Every break of the books, one line each. None means that they are sound."""
    with connection.cursor() as cursor:
        for what, sql in _BREAKS.items():
            cursor.execute(sql)
            for (detail,) in cursor.fetchall():
                yield f"{what}: {detail}"


def trial_balance() -> list[tuple[str, str, bool, int]]:
    """(account kind, currency, livemode, balance in minor units), for every kind that has
    postings.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.kind, a.currency, a.livemode, sum(p.amount_minor)::bigint
                 FROM payments_posting p JOIN payments_account a ON a.id = p.account_id
                GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        )
        return list(cursor.fetchall())
