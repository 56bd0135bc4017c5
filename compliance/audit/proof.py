"""Proof that one entry stands in the trail, to be checked without the rest of it.

A proof is a line of JSON: the entry as an export tells it, its block, and the path from the entry
to the block's root. Whoever knows the block's hash needs nothing else.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.blocks import Block, find_block
from compliance.audit.export import told_line
from compliance.audit.merkle import path
from compliance.audit.sealing import COLUMNS
from compliance.audit.trail import record
from compliance.database import prepared

_LINES = f"""
SELECT (SELECT b.number FROM compliance_auditblock b
         WHERE b.last >= s.position ORDER BY b.last LIMIT 1),
       s.position, s.previous, s.hash, {COLUMNS}
  FROM compliance_auditseal s JOIN compliance_auditentry e ON e.id = s.entry_id
 WHERE e.id = ANY(%s::bigint[]) ORDER BY s.position
"""  # noqa: S608  the only insertion is a constant of ours


@transaction.atomic
def prove_entry(*, entry: int, actor: Actor, at: datetime) -> str | None:
    """The proof of one entry, a line; None when it is not there or waits for the sealer.

    It tells what the entry tells, so that somebody took it out is recorded.
    """
    proof = next(proofs([entry]), None)
    if proof is not None:
        record(actor, "audit.entry_proven", subject=("audit", str(entry)), at=at)
    return proof


def proofs(entries: Sequence[int]) -> Iterator[str]:
    """The proofs of these entries, in the order of the chain; without those that wait."""
    around = lru_cache(maxsize=2)(find_block)
    for number, position, previous, digest, *columns in prepared(_LINES, [list(entries)]):
        block = None if number is None else around(number)
        if block is not None:
            yield _line(told_line(position, previous, digest, columns), block, position)


def _line(told: str, block: Block, position: int) -> str:
    tail = json.dumps({
        "block": {
            "number": block.number, "first": block.first, "last": block.last,
            "previous": block.previous.hex(), "hash": block.hash.hex(),
        },
        "path": [digest.hex() for digest in path(block.leaves(), position - block.first)],
    })  # fmt: skip
    return f'{{"entry": {told.rstrip()}, {tail[1:]}\n'
