"""Blocks: each holds some seals in a row under one root, and follows on the block before it.

The chain of seals names the first broken entry; a block lets an outsider check one entry alone.
"""

from dataclasses import dataclass
from typing import Final

from compliance.audit.chain import GENESIS
from compliance.audit.merkle import block_hash, leaf, root
from compliance.database import prepared

CHUNK: Final = 100
BLOCKS_MAX: Final = 20
"""How many are closed at once, when seals of an older platform have none yet."""

_LAST: Final = """
SELECT number, last, hash FROM compliance_auditblock ORDER BY number DESC LIMIT 1
"""
_OPEN: Final = """
SELECT hash FROM compliance_auditseal WHERE position > %s ORDER BY position LIMIT %s
"""
_CLOSE: Final = """
INSERT INTO compliance_auditblock (number, first, last, previous, root, hash)
VALUES (%s, %s, %s, %s, %s, %s)
"""
_BEFORE: Final = """
SELECT number, last, hash FROM compliance_auditblock WHERE last <= %s
 ORDER BY number DESC LIMIT 1
"""
_BLOCKS: Final = """
SELECT b.number, b.first, b.last, b.previous, b.root, b.hash,
       ARRAY(SELECT s.hash FROM compliance_auditseal s
              WHERE s.position BETWEEN b.first AND b.last ORDER BY s.position)
  FROM compliance_auditblock b WHERE b.number > %s ORDER BY b.number LIMIT %s
"""
_AROUND: Final = _BLOCKS.replace("b.number > %s ORDER BY b.number LIMIT %s", "b.number = %s")


@dataclass(frozen=True, slots=True)
class Block:
    """A block, with the hashes of the seals that stand at its positions now."""

    number: int
    first: int
    last: int
    previous: bytes
    root: bytes
    hash: bytes
    seals: list[bytes]

    def leaves(self) -> list[bytes]:
        """The hashed leaves of its tree."""
        return [leaf(digest) for digest in self.seals]


def close_blocks(*, most: int) -> int:
    """Put seals that are in no block into blocks of at most `most`, and say how many that were.

    Called by the sealer, which holds its lock, in the transaction of the seals.
    """
    closed = 0
    while closed < BLOCKS_MAX:
        [(number, last, previous)] = prepared(_LAST) or [(0, 0, GENESIS)]
        seals = [digest for (digest,) in prepared(_OPEN, [last, most])]
        if not seals:
            break
        number, first, last = number + 1, last + 1, last + len(seals)
        top = root([leaf(digest) for digest in seals])
        digest = block_hash(previous=previous, number=number, first=first, last=last, top=top)
        prepared(_CLOSE, [number, first, last, previous, top, digest])
        closed += 1
    return closed


def find_block(number: int) -> Block | None:
    """The block of this number."""
    rows = prepared(_AROUND, [number])
    return Block(*rows[0]) if rows else None


def first_broken_block(*, after: int = 0) -> int | None:
    """Recompute the blocks whose seals stand behind position `after`; the first that is wrong."""
    [(number, last, previous)] = prepared(_BEFORE, [after]) or [(0, 0, GENESIS)]
    while rows := prepared(_BLOCKS, [number, CHUNK]):
        for row in rows:
            block = Block(*row)
            follows = block.number == number + 1 and block.first == last + 1
            if not (follows and block.previous == previous and _holds(block)):
                return block.number
            number, last, previous = block.number, block.last, block.hash
    return None


def _holds(block: Block) -> bool:
    if not block.seals or len(block.seals) != block.last - block.first + 1:
        return False
    digest = block_hash(
        previous=block.previous, number=block.number, first=block.first, last=block.last,
        top=block.root,
    )  # fmt: skip
    return root(block.leaves()) == block.root and digest == block.hash
