"""Finds the accounts of the chart, opening them when first needed."""

from typing import Final

from django.db import transaction

from compliance.database import prepared
from payments.ledger.models import AccountKind

_known: Final[dict[tuple[str, str, str, bool], int]] = {}

_OPEN: Final = """
WITH opened AS (
  INSERT INTO payments_account (kind, owner, currency, livemode) VALUES (%s, %s, %s, %s)
  ON CONFLICT (kind, owner, currency, livemode) DO NOTHING RETURNING id
)
SELECT id FROM opened
UNION ALL
SELECT id FROM payments_account
 WHERE kind = %s AND owner = %s AND currency = %s AND livemode = %s
LIMIT 1
"""


def account_id(kind: AccountKind, owner: str, currency: str, *, livemode: bool) -> int:
    """The account's key; opens the account when it does not exist. Accounts never change or go."""
    name = (str(kind), owner, currency, livemode)
    if name in _known:
        return _known[name]
    rows = prepared(_OPEN, [*name, *name])
    while not rows:
        # Another transaction opened it after our snapshot was taken; the next statement sees it.
        rows = prepared(_OPEN, [*name, *name])
    found: int = rows[0][0]
    # Only a committed account is remembered: this transaction may still be rolled back.
    transaction.on_commit(lambda: _known.__setitem__(name, found))
    return found


def forget() -> None:
    """Drop what this process remembers, for a process whose database was replaced (tests)."""
    _known.clear()
