"""A stretch of the audit trail as lines of JSON, for people who trust nothing of ours but paper.

`docs/verify_export.py` checks such lines without this platform, its database or any library.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.chain import FIRST_FORM, Entry
from compliance.audit.sealing import COLUMNS
from compliance.audit.trail import record
from compliance.database import prepared

CHUNK: Final = 1000

_STRETCH: Final = """
SELECT min(s.position), max(s.position)
  FROM compliance_auditentry e JOIN compliance_auditseal s ON s.entry_id = e.id
 WHERE e.at >= %s AND e.at < %s
"""

_LINES: Final = f"""
SELECT s.position, s.previous, s.hash, {COLUMNS}
  FROM compliance_auditseal s JOIN compliance_auditentry e ON e.id = s.entry_id
 WHERE s.position BETWEEN %s AND %s ORDER BY s.position LIMIT %s
"""  # noqa: S608  the only insertion is a constant of ours

_NAMES: Final = (
    "actor_kind", "actor_id", "actor_label", "address", "action", "subject_kind", "subject_id",
    "reason",
)  # fmt: skip
_NEWER: Final = ("version", "person", "role", "agent")
"""What entries of the second form have besides."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Positions of the chain, both included. Empty when the first is above the last."""

    first: int
    last: int


@transaction.atomic
def export_stretch(*, start: datetime, end: datetime, actor: Actor, at: datetime) -> Stretch:
    """The shortest unbroken part of the chain with all sealed entries from `start` to before `end`.

    It holds what else was sealed in between, because a chain with holes proves nothing. That
    somebody took it out is recorded; then give it to `exported_lines`.
    """
    [(first, last)] = prepared(_STRETCH, [start, end])
    stretch = Stretch(first or 1, last or 0)
    facts = {
        "from": start.astimezone(UTC).isoformat(), "to": end.astimezone(UTC).isoformat(),
        "first": stretch.first, "last": stretch.last,
    }  # fmt: skip
    record(actor, "audit.exported", subject=("audit", "trail"), facts=facts, at=at)
    return stretch


def exported_lines(stretch: Stretch) -> Iterator[str]:
    """One line for each entry, in the order of the chain; read part by part, however long it is."""
    position = stretch.first
    while rows := prepared(_LINES, [position, stretch.last, CHUNK]):
        for place, previous, digest, *columns in rows:
            yield told_line(place, previous, digest, columns)
        position = rows[-1][0] + 1


def told_line(position: int, previous: bytes, digest: bytes, columns: list[Any]) -> str:
    """An entry and its seal as a line of JSON; `columns` are those of an Entry."""
    entry = Entry(*columns)
    line: dict[str, Any] = {
        "position": position,
        "previous": previous.hex(),
        "hash": digest.hex(),
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        **{name: getattr(entry, name) for name in _NAMES},
    }
    # The database's own text of what is JSON: its numbers keep the digits that were sealed.
    raw = f'"facts": {entry.facts}'
    if entry.version != FIRST_FORM:
        line |= {name: getattr(entry, name) for name in _NEWER}
        raw += f', "before": {entry.before}, "after": {entry.after}'
    return f"{json.dumps(line, ensure_ascii=False)[:-1]}, {raw}}}\n"
