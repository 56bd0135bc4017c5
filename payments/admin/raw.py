"""What came from outside, as text to look at. Templates escape it; nothing in it is followed."""

import json
from typing import Any, Final

SHOWN_CHARACTERS: Final = 8192
HIDDEN: Final = "\N{REPLACEMENT CHARACTER}"


def readable(body: bytes) -> str:
    """The bytes as text, cut, without control characters. Nothing is decrypted."""
    text = body[: SHOWN_CHARACTERS * 4].decode(errors="replace")
    shown = "".join(c if c.isprintable() or c in "\n\t" else HIDDEN for c in text)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"


def readable_json(value: Any) -> str:
    """A JSON value over several lines, cut."""
    return readable(json.dumps(value, ensure_ascii=False, indent=2).encode())
