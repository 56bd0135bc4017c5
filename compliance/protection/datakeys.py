"""Makes, finds and opens data keys."""

import os
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.utils import timezone

from compliance.database import prepared
from compliance.numbers import new_number
from compliance.protection.errors import KeyUnknown
from compliance.protection.keys import KEY_BYTES
from compliance.protection.keyservice import key_service
from compliance.protection.states import DataKeyState, DataKeyUse

PREFIX: Final = "dk_"
_TRIES: Final = 5

# The share lock makes a rotation wait until the transaction that seals with this key has ended:
# when the rotation counts what is left under the old key, nothing is still on its way.
_ACTIVE: Final = """
SELECT key_id, wrapped FROM compliance_datakey
 WHERE use = %s AND purpose = %s AND state = 'active' FOR SHARE
"""
_NAMED: Final = "SELECT use, purpose, wrapped FROM compliance_datakey WHERE key_id = %s"
_ADD: Final = """
INSERT INTO compliance_datakey (key_id, use, purpose, wrapped, state, created_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def context_of(*, key_id: str, use: str, purpose: str) -> str:
    """What a wrapped key is bound to, so that it cannot be passed off as another one."""
    return f"data key:{use}:{purpose}:{key_id}"


def add_key(*, use: DataKeyUse, purpose: str, at: datetime) -> None:
    """Add an active key, unless the purpose has one already."""
    key_id = new_number(PREFIX)
    context = context_of(key_id=key_id, use=use, purpose=purpose)
    wrapped = key_service().wrap(os.urandom(KEY_BYTES), context=context)
    prepared(_ADD, [key_id, str(use), purpose, wrapped, str(DataKeyState.ACTIVE), at])


def active_key(*, use: DataKeyUse, purpose: str) -> tuple[str, bytes]:
    """The id and the key to seal or to index with now. The first call for a purpose makes one.

    Always asks the database: a remembered key would go on sealing after its rotation.
    """
    for _try in range(_TRIES):
        for key_id, wrapped in prepared(_ACTIVE, [str(use), purpose]):
            return key_id, _open(key_id, str(use), purpose, wrapped)
        # None yet, or a rotation has just replaced the one that we waited for.
        add_key(use=use, purpose=purpose, at=timezone.now())
    raise KeyUnknown(f"no data key for {purpose} could be made")


def key_named(key_id: str) -> bytes:
    """The key with this id, whatever its state. Raises KeyUnknown or Tampered."""
    return _open(key_id, *_row_named(key_id, ",".join(key_service().names())))


@lru_cache(maxsize=256)
def _row_named(key_id: str, service_keys: str) -> tuple[str, str, str]:
    """A key's row never changes what it opens; a new key-encryption key makes us look again."""
    for use, purpose, wrapped in prepared(_NAMED, [key_id]):
        return use, purpose, wrapped
    raise KeyUnknown(f"there is no data key {key_id}")


def _open(key_id: str, use: str, purpose: str, wrapped: str) -> bytes:
    context = context_of(key_id=key_id, use=use, purpose=purpose)
    try:
        return key_service().unwrap(wrapped, context=context)
    except KeyUnknown as error:
        raise KeyUnknown(
            f"data key {key_id} is wrapped by {error}, which FIELD_KEYS does not hold"
        ) from None
