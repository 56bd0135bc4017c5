"""Checks the chain against the entries and names the first thing that is wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from compliance.audit.anchor import Head, are_notes_lost, first_differing
from compliance.audit.blocks import first_broken_block
from compliance.audit.chain import GENESIS, Entry, link
from compliance.audit.sealing import COLUMNS
from compliance.database import prepared

CHUNK: Final = 5000
UNSEALED_MAX: Final = timedelta(minutes=15)
"""An entry that is not sealed after this time was kept from the sealer, or the sealer is down."""

_CHUNK: Final = f"""
SELECT s.position, s.entry_id, s.previous, s.hash, {COLUMNS}
  FROM compliance_auditseal s LEFT JOIN compliance_auditentry e ON e.id = s.entry_id
 WHERE s.position > %s ORDER BY s.position LIMIT %s
"""  # noqa: S608  the only insertion is a constant of ours

_TAIL: Final = """
SELECT coalesce((SELECT max(position) FROM compliance_auditseal), 0),
       coalesce((SELECT settled FROM compliance_auditprogress), 0)
"""

_UNSEALED: Final = """
SELECT e.id FROM compliance_auditentry e
 WHERE e.id > %(above)s
   AND (e.id < (SELECT coalesce(max(s.entry_id), 0) FROM compliance_auditseal s
                 WHERE s.position > %(position)s AND s.sealed_at < %(before)s)
        OR (e.at < %(before)s
            AND NOT EXISTS (SELECT FROM compliance_auditseal s
                             WHERE s.position > %(position)s AND s.sealed_at >= %(before)s)))
   AND NOT EXISTS (SELECT FROM compliance_auditseal s WHERE s.entry_id = e.id)
 ORDER BY e.id LIMIT 1
"""
# Old is what a seal long ago went past; and, when nothing is being sealed, what was done long ago.
# An entry's own time alone does not tell, because a verb may record something of last month.


class Fault(StrEnum):
    """What can be wrong with the chain."""

    ALTERED = "altered"
    """The entry does not give the hash that was sealed."""
    MISSING = "missing"
    """An entry was sealed and is gone."""
    BROKEN = "broken"
    """A seal does not follow on the one before it, or one is gone."""
    UNSEALED = "unsealed"
    """An old entry was never sealed: written past the sealer, or the sealer stands still."""
    BLOCK = "block"
    """A block does not follow on the one before, or its root is not that of its seals."""
    NOTES = "notes"
    """Heads were noted, and the file with them is gone or was shortened."""
    STAMP = "stamp"
    """An outsider's time stamp does not belong to its block."""
    HEAD = "head"
    """The chain is shorter than it was, or holds another hash at the place that was noted."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that is wrong; `position` is the block's number when a block is."""

    fault: Fault
    entry: int
    position: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked and what came of it. `held` counts the noted heads that still stand."""

    checked: int
    position: int
    head: bytes
    broken: Break | None
    held: int = 0


def verify(*, at: datetime, noted: Iterable[Head] = ()) -> Verdict:
    """Recompute the whole chain and its blocks, and stop at the first break.

    `noted` are heads (position and hash) written down elsewhere before; only with one can be seen
    that the newest entries were removed together with their seals, or the chain was made anew.
    """
    verdict = _follow(0)
    if verdict.broken:
        return verdict
    if number := first_broken_block():
        return replace(verdict, broken=Break(Fault.BLOCK, 0, number))
    held, differing = first_differing(iter(noted))
    verdict = replace(verdict, held=held)
    if differing is not None:
        return replace(verdict, broken=Break(Fault.HEAD, 0, differing))
    return _with_unsealed(verdict, above=0, position=0, at=at)


def verify_tail(*, length: int, at: datetime) -> Verdict:
    """Recompute only the newest seals: quick enough for a page."""
    [(last, settled)] = prepared(_TAIL)
    position = max(0, last - length)
    verdict = _follow(position)
    if verdict.broken:
        return verdict
    if number := first_broken_block(after=position):
        return replace(verdict, broken=Break(Fault.BLOCK, 0, number))
    if are_notes_lost():
        return replace(verdict, broken=Break(Fault.NOTES, 0, 0))
    return _with_unsealed(verdict, above=settled, position=position, at=at)


def _with_unsealed(verdict: Verdict, *, above: int, position: int, at: datetime) -> Verdict:
    values = {"above": above, "position": position, "before": at - UNSEALED_MAX}
    for (entry,) in prepared(_UNSEALED, values):
        return replace(verdict, broken=Break(Fault.UNSEALED, entry, 0))
    return verdict


def _follow(position: int) -> Verdict:
    checked, head = 0, _hash_at(position)
    for place, entry_id, previous, sealed, entry in _links(position):
        fault = _judge(entry, head, previous, sealed, is_next=place == position + 1)
        if fault:
            return Verdict(checked, position, head, Break(fault, entry_id, place))
        checked, position, head = checked + 1, place, sealed
    return Verdict(checked, position, head, None)


def _judge(
    entry: Entry | None, head: bytes, previous: bytes, sealed: bytes, *, is_next: bool
) -> Fault | None:
    if not is_next or previous != head:
        return Fault.BROKEN
    if entry is None:
        return Fault.MISSING
    return None if link(previous, entry) == sealed else Fault.ALTERED


def _links(position: int) -> Iterator[tuple[int, int, bytes, bytes, Entry | None]]:
    while rows := prepared(_CHUNK, [position, CHUNK]):
        for row in rows:
            place, entry_id, previous, sealed, *columns = row
            yield place, entry_id, previous, sealed, _entry(columns)
        position = rows[-1][0]


def _entry(columns: list[Any]) -> Entry | None:
    return None if columns[0] is None else Entry(*columns)


def _hash_at(position: int) -> bytes:
    if position == 0:
        return GENESIS
    rows = prepared("SELECT hash FROM compliance_auditseal WHERE position = %s", [position])
    found: bytes = rows[0][0] if rows else b""
    return found
