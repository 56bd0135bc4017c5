"""Heads of the chain, noted outside the database: whoever can rewrite the one does not reach both.

Each line is a JSON object about the end of a block: `position` and `hash` of its last seal, `block`
and `block_hash`, and `at`. Older lines have no block. The file is only ever appended to; keep
it on a disk, or copy it to one, where administrators of the database cannot write.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings

from compliance.audit.chain import GENESIS
from compliance.database import prepared

CHUNK: Final = 5000
_START: Final = '{"position": '
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Head(NamedTuple):
    """A position of the chain and the hash that stands there; where known, its block's too."""

    position: int
    hash: bytes
    block: int = 0
    block_hash: bytes = b""


def note_heads(heads: Sequence[Head], *, at: datetime) -> int:
    """Append heads that are committed, and return the file's length once the disk has them.

    What a power cut left of a line stays a line of its own. Raises OSError.
    """
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    lines = "".join(
        json.dumps({
            "position": head.position, "hash": head.hash.hex(),
            "block": head.block, "block_hash": head.block_hash.hex(), "at": moment,
        }) + "\n"
        for head in heads
    )  # fmt: skip
    path = Path(settings.AUDIT_ANCHOR_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        # One write: what two sealers append does not mix.
        os.write(file, (b"\n" if is_torn else b"") + lines.encode())
        os.fsync(file)
        return os.fstat(file).st_size
    finally:
        os.close(file)


def notes_length() -> int:
    """How long the file is; 0 without one."""
    try:
        return Path(settings.AUDIT_ANCHOR_FILE).stat().st_size
    except OSError:
        return 0


def are_notes_lost() -> bool:
    """Whether heads were noted, and the file is gone or shorter than it was then."""
    rows = prepared("SELECT are_notes_lost, noted_bytes FROM compliance_auditprogress")
    return bool(rows) and (rows[0][0] or notes_length() < rows[0][1])


class Notes:
    """The heads in the file, in its order; none without a file.

    Lines that cannot be read do not end it: once all heads were taken, their numbers are told.
    """

    def __init__(self) -> None:
        """Nothing was read yet."""
        self.path = Path(settings.AUDIT_ANCHOR_FILE)
        self.torn: list[int] = []
        """What a power cut leaves: the beginning of a line of ours."""
        self.strange: list[int] = []
        """What we did not write."""

    def __iter__(self) -> Iterator[Head]:
        """Read line by line, however long the file is."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                head = _head(line)
                if head is not None:
                    yield head
                elif _is_torn(line.rstrip("\n")):
                    self.torn.append(number)
                else:
                    self.strange.append(number)


_SEALS: Final = "SELECT position, hash FROM compliance_auditseal WHERE position = ANY(%s)"
_BLOCKS: Final = "SELECT number, hash FROM compliance_auditblock WHERE number = ANY(%s)"


def first_differing(heads: Iterator[Head]) -> tuple[int, int | None]:
    """Compare the chain with heads: how many it holds, and the lowest position where it differs."""
    held, differing = 0, set()
    while some := list(islice(heads, CHUNK)):
        seals = prepared(_SEALS, [[head.position for head in some]])
        closed = prepared(_BLOCKS, [[head.block for head in some]])
        chain = {0: GENESIS, **{position: bytes(digest) for position, digest in seals}}
        blocks = {0: b"", **{number: bytes(digest) for number, digest in closed}}
        wrong = {
            head.position
            for head in some
            if chain.get(head.position) != head.hash or blocks.get(head.block) != head.block_hash
        }
        held += sum(head.position not in wrong for head in some)
        differing |= {min(wrong)} if wrong else set()
    return held, min(differing, default=None)


def _head(line: str) -> Head | None:
    try:
        told = json.loads(line)
        position, digest = told["position"], told["hash"]
        block, block_digest = told.get("block", 0), told.get("block_hash", "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    are_numbers = type(position) is int and type(block) is int
    if not are_numbers or not _is_hash(digest) or (block and not _is_hash(block_digest)):
        return None
    return Head(position, bytes.fromhex(digest), block, bytes.fromhex(block_digest or ""))


def _is_hash(text: object) -> bool:
    return isinstance(text, str) and bool(_HASH.fullmatch(text))


def _is_torn(line: str) -> bool:
    """Some file systems leave zeros where the rest of the line would have been."""
    begun = line.rstrip("\0")
    if not begun:
        return bool(line)
    return _START.startswith(begun) or (begun.startswith(_START) and not begun.endswith("}"))
