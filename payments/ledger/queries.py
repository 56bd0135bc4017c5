"""Reads a merchant's balances for faces."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from compliance.database import prepared
from merchants.access import MerchantAccess, require
from payments.ledger.models import AccountKind
from payments.money import Money

HOME_CURRENCY: Final = "CNY"
"""Shown to a merchant that has no account yet."""

_BALANCES: Final = """
SELECT a.currency, a.kind, coalesce(c.balance_minor, 0) + coalesce((
         SELECT sum(p.amount_minor) FROM payments_posting p
          WHERE p.account_id = a.id AND p.id > coalesce(c.posting_id, 0)), 0)
  FROM payments_account a
  LEFT JOIN LATERAL (
         SELECT posting_id, balance_minor FROM payments_checkpoint
          WHERE account_id = a.id ORDER BY posting_id DESC LIMIT 1) c ON true
 WHERE a.kind = ANY(%(kinds)s) AND a.owner = %(owner)s AND a.livemode = %(livemode)s
"""


@dataclass(frozen=True, slots=True)
class MerchantBalance:
    """What we owe a merchant in one currency: free to settle, and held back."""

    available: Money
    reserved: Money


def merchant_balances(access: MerchantAccess) -> list[MerchantBalance]:
    """The merchant's balances by currency. What we owe is a credit, so the sign is turned."""
    require(access, "balance.read")
    kinds = [AccountKind.MERCHANT_PAYABLE.value, AccountKind.MERCHANT_RESERVED.value]
    rows = prepared(
        _BALANCES, {"kinds": kinds, "owner": access.merchant, "livemode": access.livemode}
    )
    owed: dict[str, dict[str, int]] = defaultdict(dict, {} if rows else {HOME_CURRENCY: {}})
    for currency, kind, minor in rows:
        owed[currency][kind] = -int(minor)
    return [
        MerchantBalance(*(Money(found.get(kind, 0), currency) for kind in kinds))
        for currency, found in sorted(owed.items())
    ]
