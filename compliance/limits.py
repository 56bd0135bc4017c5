"""How often somebody may do something: one table in the settings, counted where all processes see.

Each limit counts in windows of its own length. When the shared store is down, a limit that guards
sign-ins and codes closes the door, and one that guards customers counts within this process.
"""

import hashlib
import logging
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Literal, cast

from django.conf import settings
from django.core.cache import caches
from redis.exceptions import RedisError

log: Final = logging.getLogger(__name__)

STORE_REST_SECONDS: Final = 5.0
"""A store that failed is left alone for so long: nobody waits for its time-out again and again."""
KEPT_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` deeds within `seconds` by one doer."""

    count: int
    seconds: int
    when_down: Literal["closed", "local"]
    """Without the shared store: nobody may (closed), or each process counts alone (local)."""


class TooMany(Exception):
    """The doer must wait. `is_closed`: not for too many deeds, but because nobody can count."""

    def __init__(self, limit: str, *, wait_seconds: int, is_closed: bool = False) -> None:
        super().__init__(f"{limit}: wait {wait_seconds} s")
        self.limit, self.wait_seconds, self.is_closed = limit, wait_seconds, is_closed


@dataclass(slots=True)
class _Process:
    """What this process remembers: unused parts of lots, its own counts, and a failed store."""

    left: dict[str, int]
    counted: dict[str, int]
    rest_until: float = 0.0
    turn: Lock = field(default_factory=Lock)
    """Threads that come at once share a lot instead of taking one each."""


_here: Final = _Process({}, {})


def forget() -> None:
    """Drop what this process remembers (tests)."""
    _here.left.clear()
    _here.counted.clear()
    _here.rest_until = 0.0


def spend(limit: str, doer: str, *, lot: int = 1) -> None:
    """Count one deed of `doer` against a limit of settings.LIMITS. Raises TooMany.

    With `lot` a process takes so many at once from the shared count and then spends them without
    asking again, for deeds that come by the thousand. What it does not spend is lost, so never more
    is allowed than the limit says.
    """
    with _here.turn:
        _spend(limit, doer, lot)


def _spend(limit: str, doer: str, lot: int) -> None:
    rule = _rule(limit)
    now = time.time()
    window = int(now // rule.seconds)
    wait = int((window + 1) * rule.seconds - now) + 1
    key = f"limit:{limit}:{hashlib.sha256(doer.encode()).hexdigest()[:32]}:{window}"
    if _take_left(key):
        return
    try:
        counted = _count(key, lot, rule.seconds)
    except (RedisError, OSError) as error:
        _here.rest_until = time.monotonic() + STORE_REST_SECONDS
        log.warning("the store of limits does not answer: %s", type(error).__name__)
        counted = None
    if counted is None:
        if rule.when_down == "closed":
            raise TooMany(limit, wait_seconds=int(STORE_REST_SECONDS), is_closed=True)
        counted, lot = _count_here(key), 1
    if counted - lot >= rule.count:
        raise TooMany(limit, wait_seconds=wait)
    usable = min(counted, rule.count) - (counted - lot)
    if usable > 1:
        _make_room(_here.left)
        _here.left[key] = usable - 1


def _rule(limit: str) -> Limit:
    count, seconds, when_down = settings.LIMITS[limit]
    return Limit(count, seconds, cast("Literal['closed', 'local']", when_down))


def _take_left(key: str) -> bool:
    left = _here.left.get(key, 0)
    if left > 1:
        _here.left[key] = left - 1
    elif left == 1:
        del _here.left[key]
    return left > 0


def _count(key: str, lot: int, seconds: int) -> int | None:
    """The shared count with this lot in it; None while the store rests."""
    if time.monotonic() < _here.rest_until:
        return None
    store = caches["default"]
    try:
        return int(store.incr(key, lot))
    except ValueError:  # Nobody has counted in this window yet.
        store.add(key, 0, timeout=2 * seconds)
        return int(store.incr(key, lot))


def _count_here(key: str) -> int:
    _make_room(_here.counted)
    _here.counted[key] = _here.counted.get(key, 0) + 1
    return _here.counted[key]


def _make_room(kept: dict[str, int]) -> None:
    if len(kept) >= KEPT_MAX:
        kept.clear()
