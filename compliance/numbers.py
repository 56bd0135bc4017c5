"""Public numbers: a prefix and 26 characters that sort by time (the ULID layout)."""

import base64
import os
import re
from datetime import UTC, datetime, timedelta
from time import time_ns
from typing import Final

_RFC_TO_CROCKFORD: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI: Final = timedelta(milliseconds=1)
_SHAPE: Final = re.compile(r"[a-z]+_[0-9a-hjkmnp-tv-z]{26}")


def is_number(text: str, prefix: str) -> bool:
    """Whether a text from outside has the shape of such a number, before anything looks for it."""
    return text.startswith(prefix) and _SHAPE.fullmatch(text) is not None


def new_number(prefix: str, *, at: datetime | None = None) -> str:
    """Make a public id: "pay_", 48 bits of milliseconds, and 80 bits that nobody can guess."""
    millis = time_ns() // 1_000_000 if at is None else (at - _EPOCH) // _MILLI
    value = (millis << 80) | int.from_bytes(os.urandom(10))
    # 26 characters carry 130 bits; shifting by 6 makes whole bytes of them, whose tail is cut off.
    text = base64.b32encode((value << 6).to_bytes(17))[:26]
    return prefix + text.translate(_RFC_TO_CROCKFORD).decode()
