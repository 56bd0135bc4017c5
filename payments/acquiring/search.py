"""Finds payments by any number that a person may have in hand. Exact, and by indexes only."""

from typing import Final

from django.db.models import QuerySet

from compliance.database import prepared
from merchants.access import MerchantAccess, require
from merchants.models import Merchant
from payments.acquiring.models import Payment

FOUND_MAX: Final = 100
NUMBER_CHARACTERS_MAX: Final = 64

_FIND: Final = """
SELECT id FROM payments_payment WHERE public_id = %(number)s
UNION
SELECT id FROM payments_payment
 WHERE merchant_id = ANY(%(merchants)s::bigint[]) AND livemode = ANY(%(modes)s::boolean[])
   AND merchant_order_no = %(number)s
UNION
SELECT id FROM payments_payment WHERE channel_trade_no = %(number)s AND channel_trade_no <> ''
UNION
SELECT payment_id FROM payments_attempt WHERE number = %(number)s
UNION
SELECT payment_id FROM payments_attempt WHERE gateway_number = %(number)s AND gateway_number <> ''
UNION
SELECT payment_id FROM payments_refund WHERE public_id = %(number)s
UNION
SELECT payment_id FROM payments_refund WHERE number = %(number)s
LIMIT %(limit)s
"""
# Separate lookups, because one condition over several tables would read them all. The index of
# order numbers begins with the merchant: naming every merchant lets it be used from its start.


def find_payment_ids(number: str) -> list[int]:
    """Payments of any merchant that carry the number, or whose attempts or refunds do. For staff.

    It may be ours (payment, attempt, refund), the merchant's order number or a gateway's number.
    """
    return _find(number, list(Merchant.objects.values_list("pk", flat=True)), [False, True])


def search_payments(access: MerchantAccess, number: str) -> QuerySet[Payment]:
    """The same for a merchant: what is another's, or of the other mode, is not there."""
    require(access, "payments.read")
    found = _find(number, [access.merchant_id], [access.livemode])
    return Payment.objects.filter(
        pk__in=found, merchant_id=access.merchant_id, livemode=access.livemode
    )


def _find(number: str, merchants: list[int], modes: list[bool]) -> list[int]:
    wanted = number.strip()
    if not wanted or len(wanted) > NUMBER_CHARACTERS_MAX or "\0" in wanted:
        return []
    rows = prepared(
        _FIND,
        {"number": wanted, "merchants": merchants, "modes": modes, "limit": FOUND_MAX},
    )
    return [row[0] for row in rows]
