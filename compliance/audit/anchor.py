"""Heads of the chain, noted outside the database: whoever can rewrite the one does not reach both.

Each line is a JSON object with `position`, `hash` and `at`. The file is only ever appended to; keep
it on a disk, or copy it to one, where administrators of the database cannot write.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings

from compliance.audit.chain import GENESIS
from compliance.database import prepared

CHUNK: Final = 5000
_HASH: Final = re.compile(r"[0-9a-f]{64}")

Head = tuple[int, bytes]
"""A position of the chain and the hash that stands there."""


class AnchorUnreadable(Exception):
    """A line of the file is not one that we wrote. The message names it."""


def note_head(head: Head, *, at: datetime) -> None:
    """Append a head that is committed, and return once the disk has it. Raises OSError."""
    line = {
        "position": head[0],
        "hash": head[1].hex(),
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    path = Path(settings.AUDIT_ANCHOR_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # One write: what two sealers append does not mix.
        os.write(file, json.dumps(line).encode() + b"\n")
        os.fsync(file)
    finally:
        os.close(file)


def noted_heads() -> Iterator[Head]:
    """The heads in the file, in its order; none without a file. Raises AnchorUnreadable."""
    path = Path(settings.AUDIT_ANCHOR_FILE)
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            yield _head(line, f"line {number} of {path}")


def first_differing(heads: Iterator[Head]) -> tuple[int, int | None]:
    """Compare the chain with heads: how many it holds, and the lowest position where it differs."""
    held, differing = 0, set()
    while some := list(islice(heads, CHUNK)):
        positions = [position for position, _hash in some]
        rows = prepared(
            "SELECT position, hash FROM compliance_auditseal WHERE position = ANY(%s)", [positions]
        )
        chain = {0: GENESIS, **{position: bytes(digest) for position, digest in rows}}
        wrong = {position for position, digest in some if chain.get(position) != digest}
        held += len(some) - len(wrong)
        differing |= {min(wrong)} if wrong else set()
    return held, min(differing, default=None)


def _head(line: str, place: str) -> Head:
    try:
        told = json.loads(line)
        position, digest = told["position"], told["hash"]
    except (ValueError, TypeError, KeyError):
        raise AnchorUnreadable(place) from None
    if type(position) is not int or not isinstance(digest, str) or not _HASH.fullmatch(digest):
        raise AnchorUnreadable(place)
    return position, bytes.fromhex(digest)
