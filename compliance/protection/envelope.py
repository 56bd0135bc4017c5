"""Seals one column of one row under the data key of its purpose: AES-256-GCM."""

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.protection.datakeys import active_key, key_named
from compliance.protection.errors import Tampered
from compliance.protection.spelling import normalised
from compliance.protection.states import DataKeyUse

VERSION: Final = "v1"
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lives. Sealed for one place, it opens at no other.

    `row` is a public id, because a database key is not known before the row is written.
    """

    table: str
    column: str
    row: str

    def __post_init__(self) -> None:
        """Refuse parts that would make two places look alike."""
        if not self.row or any("|" in part for part in (self.table, self.column, self.row)):
            raise ValueError(f"{self.table}.{self.column}: {self.row!r} does not name a row")

    def bound_to(self, key_id: str) -> bytes:
        """The associated data."""
        return f"{self.table}|{self.column}|{self.row}|{key_id}".encode()


def seal_at(text: str, *, place: Place, purpose: str) -> str:
    """Encrypt as `v1:<key id>:<nonce>:<ciphertext>:<tag>`.

    Called in the transaction that writes the value, so that a rotation waits for it.
    """
    key_id, key = active_key(use=DataKeyUse.SEALING, purpose=purpose)
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), place.bound_to(key_id))
    parts = (nonce, sealed[:-TAG_BYTES], sealed[-TAG_BYTES:])
    return ":".join([VERSION, key_id, *map(_to_base64, parts)])


def unseal_at(value: str, *, place: Place) -> str:
    """Decrypt what `seal_at` made for the same place. Raises KeyUnknown or Tampered."""
    version, *rest = value.split(":")
    if version != VERSION or len(rest) != 4:  # noqa: PLR2004 -- the format has five parts
        raise Tampered("not a sealed value")
    key_id, nonce, text, tag = rest[0], *map(_from_base64, rest[1:])
    if len(nonce) != NONCE_BYTES or len(tag) != TAG_BYTES:
        raise Tampered("a part of the sealed value has the wrong length")
    try:
        plain = AESGCM(key_named(key_id)).decrypt(nonce, text + tag, place.bound_to(key_id))
    except InvalidTag:
        raise Tampered(f"{place.table}.{place.column} of {place.row}") from None
    return plain.decode()


def blind_index(text: str, *, purpose: str) -> bytes:
    """HMAC-SHA256 of the normalised text, to find a sealed value without opening any."""
    _, key = active_key(use=DataKeyUse.INDEXING, purpose=purpose)
    return hmac.digest(key, normalised(text).encode(), hashlib.sha256)


def _to_base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _from_base64(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Tampered("not base64") from None
