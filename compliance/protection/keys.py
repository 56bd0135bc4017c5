"""The keys of field encryption, as FIELD_KEYS in the settings names them."""

import base64
import binascii
import re
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from compliance.protection.errors import KeysMalformed

KEY_BYTES: Final = 32
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


def keys() -> dict[str, bytes]:
    """All keys by id; the first one encrypts, all decrypt. Raises KeysMalformed."""
    return parse_keys(settings.FIELD_KEYS)


@lru_cache(maxsize=4)
def parse_keys(text: str) -> dict[str, bytes]:
    """Read `id:base64,id:base64`. Raises KeysMalformed, never showing key material."""
    found: dict[str, bytes] = {}
    for index, part in enumerate(text.split(","), start=1):
        key_id, separator, encoded = part.strip().partition(":")
        if not separator or not _KEY_ID.fullmatch(key_id):
            raise KeysMalformed(f"key {index} does not start with an id of letters and digits")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise KeysMalformed(f"key {key_id} is not base64") from None
        if len(key) != KEY_BYTES:
            raise KeysMalformed(f"key {key_id} has {len(key)} bytes instead of {KEY_BYTES}")
        if key_id in found:
            raise KeysMalformed(f"key id {key_id} is used twice")
        found[key_id] = key
    return found


@lru_cache(maxsize=64)
def digest_key(key: bytes, purpose: str) -> bytes:
    """A key for one purpose of digests, so that equal texts of two purposes cannot be told."""
    info = f"paysite digest {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)
