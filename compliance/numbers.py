"""Public numbers: a prefix and 26 characters that sort by time (the ULID layout)."""

import base64
import os
from datetime import datetime
from time import time_ns
from typing import Final

_RFC_TO_CROCKFORD: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)


def new_number(prefix: str, *, at: datetime | None = None) -> str:
    """Make a public id: "pay_", 48 bits of milliseconds, and 80 bits that nobody can guess."""
    millis = time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    value = (millis << 80) | int.from_bytes(os.urandom(10))
    # 26 characters carry 130 bits; shifting by 6 makes whole bytes of them, whose tail is cut off.
    text = base64.b32encode((value << 6).to_bytes(17))[:26]
    return prefix + text.translate(_RFC_TO_CROCKFORD).decode()
