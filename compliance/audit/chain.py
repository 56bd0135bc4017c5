"""The arithmetic of the hash chain: pure, so that anyone can check an export with it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

GENESIS: Final = bytes(32)
"""What stands before the first entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An audit entry as the chain sees it: every column. `facts` is the JSON text of the column."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_label: str
    address: str
    action: str
    subject_kind: str
    subject_id: str
    facts: str
    reason: str


def canonical(entry: Entry) -> bytes:
    """The entry's one form in bytes: a JSON list in the order of the columns, times in UTC."""
    return json.dumps(
        [
            entry.id,
            entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            entry.actor_kind,
            entry.actor_id,
            entry.actor_label,
            entry.address,
            entry.action,
            entry.subject_kind,
            entry.subject_id,
            # A fraction keeps its digits as they are written. jsonb holds no NUL, so the mark
            # cannot be mistaken for text.
            json.loads(entry.facts, parse_float=lambda digits: f"\0{digits}"),
            entry.reason,
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def link(previous: bytes, entry: Entry) -> bytes:
    """The hash of an entry and everything sealed before it."""
    return hashlib.sha256(previous + canonical(entry)).digest()
