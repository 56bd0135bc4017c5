"""Balances: the latest checkpoint plus the postings since. No running total is locked by a
payment.
"""

from typing import Final

from django.db import connection, transaction

from compliance.database import prepared
from payments.ledger.chart import account_id
from payments.ledger.models import AccountKind
from payments.money import Money

_BALANCE: Final = """
SELECT coalesce(c.balance_minor, 0) + coalesce((
         SELECT sum(p.amount_minor) FROM payments_posting p
          WHERE p.account_id = a.id AND p.id > coalesce(c.posting_id, 0)), 0)
  FROM payments_account a
  LEFT JOIN LATERAL (
         SELECT posting_id, balance_minor FROM payments_checkpoint
          WHERE account_id = a.id ORDER BY posting_id DESC LIMIT 1) c ON true
 WHERE a.id = %s
"""

_CHECKPOINT: Final = """
INSERT INTO payments_checkpoint (account_id, posting_id, balance_minor)
SELECT a.id, %(upto)s, coalesce(c.balance_minor, 0) + s.moved
  FROM payments_account a
  LEFT JOIN LATERAL (
         SELECT posting_id, balance_minor FROM payments_checkpoint
          WHERE account_id = a.id ORDER BY posting_id DESC LIMIT 1) c ON true
  JOIN LATERAL (
         SELECT sum(p.amount_minor) AS moved FROM payments_posting p
          WHERE p.account_id = a.id AND p.id > coalesce(c.posting_id, 0) AND p.id <= %(upto)s
       ) s ON s.moved IS NOT NULL
    ON CONFLICT DO NOTHING
"""


def balance(kind: AccountKind, owner: str, currency: str, *, livemode: bool) -> Money:
    """The account's balance now: positive when it is owed, negative when it owes."""
    account = account_id(kind, owner, currency, livemode=livemode)
    return Money(int(prepared(_BALANCE, [account])[0][0]), currency)


def hold(kind: AccountKind, owner: str, currency: str, *, livemode: bool) -> Money:
    """The balance, while nobody else who takes money out can look at it until this transaction
    ends. Journals that only put money in do not wait.
    """
    account = account_id(kind, owner, currency, livemode=livemode)
    prepared("SELECT id FROM payments_account WHERE id = %s FOR NO KEY UPDATE", [account])
    return balance(kind, owner, currency, livemode=livemode)


def checkpoint() -> int:
    """Write a checkpoint for every account that moved since its last one; say how many did.

    Ids are handed out before commits, so the highest visible id may hide lower ones still open. A
    SHARE lock, taken and given back at once, waits for those writers; afterwards every id up to the
    highest visible one is either committed or will never be.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE payments_posting IN SHARE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM payments_posting")
        (upto,) = cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute(_CHECKPOINT, {"upto": upto})
        return int(cursor.rowcount)
