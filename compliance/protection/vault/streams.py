"""Seals files of any length piece by piece, so that none is ever held as a whole.

Each piece is sealed with its place and whether it is the last: pieces that are swapped, doubled or
cut off do not open (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from collections.abc import Iterator
from os import urandom
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.protection.errors import Tampered

PIECE_BYTES: Final = 1024 * 1024
PREFIX_BYTES: Final = 7
TAG_BYTES: Final = 16


def seal_pieces(source: IO[bytes], *, key: bytes, number: str) -> Iterator[bytes]:
    """The sealed file, piece by piece. The key is this file's alone."""
    cipher, prefix = AESGCM(key), urandom(PREFIX_BYTES)
    yield prefix
    place, piece, is_last = 0, source.read(PIECE_BYTES), False
    while not is_last:
        following = source.read(PIECE_BYTES)
        is_last = not following
        yield cipher.encrypt(_nonce(prefix, place, is_last=is_last), piece, number.encode())
        place, piece = place + 1, following


def open_pieces(sealed: IO[bytes], *, key: bytes, number: str) -> Iterator[bytes]:
    """The file, piece by piece. Raises Tampered, perhaps after pieces that were still good."""
    cipher, prefix = AESGCM(key), sealed.read(PREFIX_BYTES)
    size = PIECE_BYTES + TAG_BYTES
    place, piece, is_last = 0, sealed.read(size), False
    while not is_last:
        following = sealed.read(size)
        is_last = not following
        try:
            yield cipher.decrypt(_nonce(prefix, place, is_last=is_last), piece, number.encode())
        except (InvalidTag, ValueError):
            raise Tampered(number) from None
        place, piece = place + 1, following


def _nonce(prefix: bytes, place: int, *, is_last: bool) -> bytes:
    return prefix + place.to_bytes(4, "big") + bytes([is_last])
