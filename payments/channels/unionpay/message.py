"""UnionPay's messages: the text that is signed, and the two ways in which messages travel.

Requests and notifications are ordinary forms. Synchronous answers are `k=v&k=v` with raw values:
decoding them would turn the `+` of a signature into a blank. Text is strict UTF-8 both ways, so a
parsed message encodes back to exactly the bytes that came.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes, urlencode

from payments.channels.base import NotAuthentic

FIELDS_MAX: Final = 128

_PIECE: Final = re.compile(r"(?:[^&{\[]|\{[^}]*+\}?+|\[[^\]]*+\]?+)*+")
"""Up to the next `&` outside `{…}` and `[…]`; those do not nest, as in UnionPay's parser."""
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")


def signed_text(fields: Mapping[str, str]) -> str:
    """What a signature covers: every field but itself, sorted, as `k=v&k=v` with raw values."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "signature")


def digest(fields: Mapping[str, str]) -> bytes:
    """The lower-case hex SHA-256 of the signed text. RSA then hashes this text once more."""
    return hashlib.sha256(signed_text(fields).encode()).hexdigest().encode()


def form(fields: Mapping[str, str]) -> bytes:
    """The body of a request."""
    return urlencode(fields).encode()


def read_answer(body: bytes) -> dict[str, str]:
    """Parse a synchronous answer, raw. Raises NotAuthentic("unreadable")."""
    return _collect(_pairs(_text(body)))


def read_form(body: bytes) -> dict[str, str]:
    """Parse a notification's body, decoding each value once. Raises NotAuthentic("unreadable").

    Two different messages must not share one signed text, so a value that could be read as further
    fields (it holds a bare `&`) is refused.
    """
    fields = _collect(
        (_decoded(name), _decoded(value))
        for name, _, value in (pair.partition(b"=") for pair in body.split(b"&"))
    )
    if dict(_pairs(signed_text(fields))) != {n: v for n, v in fields.items() if n != "signature"}:
        raise NotAuthentic("unreadable")
    return fields


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at <= len(text):
        piece = _PIECE.match(text, at)
        found = piece.group() if piece else ""
        name, _, value = found.partition("=")
        yield name, value
        at += len(found) + 1


def _collect(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        if not _NAME.fullmatch(name) or name in fields or len(fields) == FIELDS_MAX:
            raise NotAuthentic("unreadable")
        fields[name] = value
    return fields


def _decoded(value: bytes) -> str:
    return _text(unquote_to_bytes(value.replace(b"+", b" ")))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise NotAuthentic("unreadable") from error
