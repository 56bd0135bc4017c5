"""Makes calls with an Idempotency-Key happen once, where a verb does not see to that by itself."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.database import prepared
from merchants.access import MerchantAccess
from payments.acquiring.models import IdempotencyKey
from payments.acquiring.pay import IdempotencyKeyReused
from payments.callbacks.queries import EventFacts, get_event
from payments.callbacks.replay import replay_event

KEPT: Final = timedelta(days=7)
"""How long a key is remembered. A later repeat still meets its order number."""

_CLAIM: Final = """
INSERT INTO payments_idempotencykey (merchant_id, livemode, key, fingerprint, payment)
VALUES (%(merchant_id)s, %(livemode)s, %(key)s, %(fingerprint)s, %(result)s)
ON CONFLICT (merchant_id, livemode, key) DO NOTHING RETURNING 1
"""

_EARLIER: Final = """
SELECT fingerprint FROM payments_idempotencykey
 WHERE merchant_id = %(merchant_id)s AND livemode = %(livemode)s AND key = %(key)s
"""


def forget_old_keys(*, at: datetime, limit: int) -> int:
    """Delete keys whose time is over, oldest first; says how many. Safe to run at once."""
    old = IdempotencyKey.objects.filter(created_at__lt=at - KEPT).order_by("created_at")[:limit]
    return IdempotencyKey.objects.filter(pk__in=old.values("pk")).delete()[0]


def claim_key(access: MerchantAccess, key: str, *, asked: str, result: str) -> bool:
    """Whether this call is the first with its key; `asked` says what it asks for, `result` names
    it.

    Must be called in the transaction of the change. A call at the same time waits here for the
    winner's commit. Raises IdempotencyKeyReused when the key was used for something else.
    """
    values = {
        "merchant_id": access.merchant_id,
        "livemode": access.livemode,
        "key": key,
        "fingerprint": hashlib.sha256(asked.encode()).digest(),
        "result": result,
    }
    if prepared(_CLAIM, values):
        return True
    [(earlier,)] = prepared(_EARLIER, values)
    if bytes(earlier) != values["fingerprint"]:
        raise IdempotencyKeyReused
    return False


@transaction.atomic
def replay_event_once(
    *, access: MerchantAccess, event: str, idempotency_key: str, at: datetime
) -> EventFacts:
    """Replay an event, unless a call with this key did so before. Raises as `replay_event` does."""
    found = get_event(access, event)
    if idempotency_key and not claim_key(
        access, idempotency_key, asked=f"replay {found.id}", result=found.id
    ):
        return found
    return replay_event(access=access, event=event, at=at)
