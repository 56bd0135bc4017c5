"""How a merchant's callbacks stand now."""

from dataclasses import dataclass
from typing import Final

from compliance.database import prepared
from merchants.access import MerchantAccess, require

COUNTED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Callbacks still to be delivered, and those that failed before; at most COUNTED_MAX."""

    waiting: int
    failing: int


_WAITING: Final = """
SELECT count(*), count(*) FILTER (WHERE failed)
  FROM (SELECT EXISTS (SELECT FROM payments_callbacktry t WHERE t.callback_id = c.id) AS failed
          FROM payments_callback c JOIN payments_event e ON e.id = c.event_id
         WHERE c.state = 'pending' AND c.merchant_id = %s AND e.livemode = %s
         LIMIT %s) AS found
"""
# Pending callbacks have an index of their own, so that delivered ones are not looked at.


def waiting_of(access: MerchantAccess) -> Waiting:
    """Count the merchant's callbacks that are on their way, in one statement."""
    require(access, "events.read")
    [(waiting, failing)] = prepared(_WAITING, [access.merchant_id, access.livemode, COUNTED_MAX])
    return Waiting(waiting, failing)
