"""The arithmetic of the hash chain: pure, so that anyone can check an export with it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

GENESIS: Final = bytes(32)
"""What stands before the first entry."""

FIRST_FORM: Final = 1
"""Entries from before people, roles, agents and what changed were told apart from the facts."""
SECOND_FORM: Final = 2
EMPTY: Final[list[Any]] = [None, "", "", {}, {}]
"""What the columns that the second form added hold in an entry of the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An audit entry as the chain sees it: every column.

    `facts`, `before` and `after` are the JSON text of their columns.
    """

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
    version: int = FIRST_FORM
    person: int | None = None
    role: str = ""
    agent: str = ""
    before: str = "{}"
    after: str = "{}"


def canonical(entry: Entry) -> bytes:
    """The entry's one form in bytes: a JSON list in the order of the columns, times in UTC.

    Entries of the first form had no more columns, and are hashed as ever while the newer columns
    are empty; all others add their version and those columns.
    """
    newer = [entry.person, entry.role, entry.agent, _read(entry.before), _read(entry.after)]
    is_first = entry.version == FIRST_FORM and newer == EMPTY
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
            _read(entry.facts),
            entry.reason,
            *([] if is_first else [entry.version, *newer]),
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def _read(text: str) -> Any:
    """A fraction keeps its digits as they are written. jsonb holds no NUL, so the mark cannot be
    mistaken for text.
    """
    return json.loads(text, parse_float=lambda digits: f"\0{digits}")


def link(previous: bytes, entry: Entry) -> bytes:
    """The hash of an entry and everything sealed before it."""
    return hashlib.sha256(previous + canonical(entry)).digest()
