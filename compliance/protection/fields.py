"""Sealed columns: AES-256-GCM with the key's id in the value, and digests to look secrets up by."""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.protection.errors import KeyUnknown, Tampered
from compliance.protection.keys import digest_key, keys

VERSION: Final = "v1"
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


def seal(text: str, *, bound_to: str) -> str:
    """Encrypt a column's text as `v1.<key id>.<base64url>`.

    `bound_to` names the row ("channel:alipay-main"): moved to another row, the value does not open.
    """
    key_id, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), bound_to.encode())
    body = base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()
    return f"{VERSION}.{key_id}.{body}"


def unseal(value: str, *, bound_to: str) -> str:
    """Decrypt what `seal` made for the same row. Raises KeyUnknown or Tampered."""
    key_id, sealed = _parts(value)
    key = keys().get(key_id)
    if key is None:
        raise KeyUnknown(key_id)
    try:
        plain = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except InvalidTag:
        raise Tampered(bound_to) from None
    return plain.decode()


def key_id_of(value: str) -> str:
    """Which key sealed the value, for rotation. Raises Tampered."""
    return _parts(value)[0]


def keyed_digest(text: bytes, *, purpose: str) -> bytes:
    """HMAC-SHA256 by which a secret is stored and found again without being kept.

    A dump of the database does not allow guessing: the key is not in it.
    """
    return keyed_digests(text, purpose=purpose)[0]


def keyed_digests(text: bytes, *, purpose: str) -> list[bytes]:
    """The digests under every key, the current one first: what to look for while keys rotate."""
    return [hmac.digest(digest_key(key, purpose), text, hashlib.sha256) for key in keys().values()]


def _parts(value: str) -> tuple[str, bytes]:
    version, _, rest = value.partition(".")
    key_id, _, body = rest.partition(".")
    if version != VERSION or not key_id:
        raise Tampered("not a sealed value")
    try:
        sealed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Tampered("not base64") from None
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise Tampered("too short")
    return key_id, sealed
