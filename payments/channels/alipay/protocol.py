"""Alipay's texts: what is signed, and how signed parts are found in raw bytes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import unquote_to_bytes

BEIJING: Final = timezone(timedelta(hours=8))
"""Alipay's clock, all year round."""

CHARSETS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gbk": "gbk",
    "gb2312": "gbk",
    "gb18030": "gb18030",
}
FIELDS_MAX: Final = 200

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d{1,3})?")


class Unreadable(ValueError):
    """The bytes are not the message they should be."""


def canonical_request(params: Mapping[str, str]) -> bytes:
    """The bytes we sign: every non-empty parameter but `sign`, sorted, with its decoded value."""
    pairs = sorted((k, v) for k, v in params.items() if v and k != "sign")
    return "&".join(f"{k}={v}" for k, v in pairs).encode()


# --- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An answer taken apart. `signed` is the node's text exactly as sent."""

    node: Mapping[str, Any]
    signed: bytes
    signature: str
    certificate_sn: str


def open_envelope(body: bytes, method: str) -> Envelope:
    """Find the answer's node and its signature. Raises Unreadable. Verifies nothing."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("not utf-8") from error
    members = _members(text)
    names = {method.replace(".", "_") + "_response", "error_response"} & members.keys()
    if len(names) != 1:
        raise Unreadable("no single answer node")
    node, signed = members[names.pop()]
    signature, certificate_sn = (
        members.get(name, ("", ""))[0] for name in ("sign", "alipay_cert_sn")
    )
    if not isinstance(node, dict):
        raise Unreadable("node is no object")
    if not isinstance(signature, str) or not isinstance(certificate_sn, str):
        raise Unreadable("signature is no text")
    return Envelope(
        node=node, signed=signed.encode(), signature=signature, certificate_sn=certificate_sn
    )


def _members(text: str) -> dict[str, tuple[Any, str]]:
    """The members of a JSON object: each one's value and its raw text. Raises Unreadable."""
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
    members: dict[str, tuple[Any, str]] = {}
    try:
        at = _past(text, "{", _past_blanks(text, 0))
        while text[at : at + 1] != "}":
            at = _past(text, ",", at) if members else at
            name, at = decoder.raw_decode(text, at)
            start = _past(text, ":", _past_blanks(text, at))
            value, end = decoder.raw_decode(text, start)
            if not isinstance(name, str) or name in members:
                raise Unreadable("a name must be text, and used once")
            members[name] = (value, text[start:end])
            at = _past_blanks(text, end)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unreadable("not JSON") from error
    if _past_blanks(text, at + 1) != len(text):
        raise Unreadable("text after the object")
    return members


def _past_blanks(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _past(text: str, character: str, at: int) -> int:
    if text[at : at + 1] != character:
        raise Unreadable(f"expected {character} at {at}")
    return _past_blanks(text, at + 1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("repeated name")
    return found


def _no_constant(name: str) -> Any:
    raise Unreadable(name)


# --- notifications ----------------------------------------------------------------------------


def read_form(body: bytes) -> dict[bytes, bytes]:
    """A form's fields, decoded once, still as bytes. Raises Unreadable, also on repeated names."""
    fields: dict[bytes, bytes] = {}
    pieces = [piece for piece in body.split(b"&") if piece]
    if len(pieces) > FIELDS_MAX:
        raise Unreadable("too many fields")
    for piece in pieces:
        name, _, value = piece.replace(b"+", b" ").partition(b"=")
        name = unquote_to_bytes(name)
        if name in fields:
            raise Unreadable("repeated name")
        fields[name] = unquote_to_bytes(value)
    return fields


def canonical_notices(fields: Mapping[bytes, bytes]) -> list[bytes]:
    """The texts that may have been signed: with all fields as received, then without empty ones.

    Alipay's Java kit signs what it sends, its PHP kit leaves empty values out; nothing else is
    tried.
    """
    signed = {k: v for k, v in fields.items() if k not in (b"sign", b"sign_type")}
    texts = [_joined(signed)]
    if not all(signed.values()):
        texts.append(_joined({k: v for k, v in signed.items() if v}))
    return texts


def decode_form(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    """The fields as text, in the charset that they name. Raises Unreadable."""
    named = fields.get(b"charset", b"utf-8").decode("ascii", "replace").lower()
    charset = CHARSETS.get(named)
    if charset is None:
        raise Unreadable("charset")
    try:
        return {k.decode(charset): v.decode(charset) for k, v in fields.items()}
    except UnicodeDecodeError as error:
        raise Unreadable("not in its charset") from error


def _joined(fields: Mapping[bytes, bytes]) -> bytes:
    return b"&".join(k + b"=" + v for k, v in sorted(fields.items()))


# --- times ------------------------------------------------------------------------------------


def beijing(at: datetime) -> str:
    """A time as Alipay writes it."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def from_beijing(text: str) -> datetime | None:
    """Read Alipay's time, with or without milliseconds; None for anything else."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return at.astimezone(UTC)
