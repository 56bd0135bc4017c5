"""The merchant's default secret: it signs callbacks to addresses that payments name, and to
endpoints that have no secret of their own (Standard Webhooks).
"""

import base64
import os
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.database import prepared
from compliance.protection.held import Held
from merchants.accounts.models import Merchant

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
OVERLAP: Final = timedelta(hours=24)
"""How long the replaced secret still signs beside the new one."""

CURRENT, BEFORE = (
    Held(
        table="merchants_merchant",
        column=column,
        purpose="callback-secret",
        prefix="callback secret",
    )
    for column in ("callback_secret_sealed", "callback_secret_before_sealed")
)

_FIND: Final = """
SELECT public_id, callback_secret_sealed,
       CASE WHEN callback_secret_before_until > now() THEN callback_secret_before_sealed END
  FROM merchants_merchant WHERE id = %s
"""


def new_secret() -> str:
    """A fresh secret in the form that Standard Webhooks libraries take."""
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def seal_secret(secret: str, *, merchant: str) -> str:
    """The secret as the merchant's row keeps it."""
    return CURRENT.seal(secret, row=merchant)


def callback_secrets_of(merchant_id: int) -> list[str]:
    """The secrets to sign with now: the current one, and the one it replaces while that lasts."""
    [(merchant, current, before)] = prepared(_FIND, [merchant_id])
    return [
        held.open(sealed, row=merchant)
        for held, sealed in ((CURRENT, current), (BEFORE, before))
        if sealed
    ]


def callback_secret_of(merchant_id: int) -> str:
    """The current secret, to show to who may see it."""
    return callback_secrets_of(merchant_id)[0]


@transaction.atomic
def rotate_callback_secret(
    *, merchant_id: int, actor: Actor, at: datetime, is_at_once: bool = False
) -> str:
    """Replace the secret and return the new one. The old one signs along for a day, or, where it
    is known to others, not at all.
    """
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    secret = new_secret()
    if is_at_once:
        merchant.callback_secret_before_sealed, merchant.callback_secret_before_until = "", None
    else:
        # Bound to its column: what moves to the other is sealed anew for it.
        before = CURRENT.open(merchant.callback_secret_sealed, row=merchant.public_id)
        merchant.callback_secret_before_sealed = BEFORE.seal(before, row=merchant.public_id)
        merchant.callback_secret_before_until = at + OVERLAP
    merchant.callback_secret_sealed = seal_secret(secret, merchant=merchant.public_id)
    merchant.save(
        update_fields=[
            "callback_secret_sealed",
            "callback_secret_before_sealed",
            "callback_secret_before_until",
        ]
    )
    record(
        actor,
        "callback_secret.rotated",
        subject=("merchant", merchant.public_id),
        facts={"old_valid_until": (at if is_at_once else at + OVERLAP).isoformat()},
        at=at,
    )
    return secret
