"""Merkle trees as in RFC 6962, section 2.1: pure, so that anyone can check a proof with it."""

import hashlib
from collections.abc import Sequence

_BLOCK = b"\x02"
# A leaf begins with 0 and a node with 1, so that neither can pose as the other.


def leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over hashed leaves, at least one. The last of an odd level goes up as it is."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What must be known besides one leaf to come to the root, from the bottom up."""
    level, found = list(leaves), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, index = _above(level), index // 2
    return found


def climb(start: bytes, *, index: int, size: int, along: Sequence[bytes]) -> bytes:
    """The root that a hashed leaf and a path lead to; b"" when the path has the wrong length."""
    current, steps = start, list(along)
    while size > 1:
        if index % 2 or index + 1 < size:
            if not steps:
                return b""
            beside = steps.pop(0)
            current = _node(beside, current) if index % 2 else _node(current, beside)
        index, size = index // 2, (size + 1) // 2
    return b"" if steps else current


def block_hash(*, previous: bytes, number: int, first: int, last: int, top: bytes) -> bytes:
    """The hash of a block: of the one before it, its number, its positions, and its root."""
    numbers = b"".join(part.to_bytes(8, "big") for part in (number, first, last))
    return hashlib.sha256(_BLOCK + previous + numbers + top).digest()


def _above(level: list[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    return [_node(*pair) for pair in pairs] + level[len(level) // 2 * 2 :]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
