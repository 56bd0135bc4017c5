"""How often somebody may do something: one table in the settings, counted where all processes see.

Each limit counts in windows of its own length. When the shared store is down, a limit that guards
sign-ins and codes closes the door, and one that guards customers counts within this process.
"""

import hashlib
import logging
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Literal, cast

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
class _Spender:
    """One doer in one window, as this process sees it."""

    lot: int
    """So many deeds are counted here before the shared count hears of them."""
    untold: int = 0
    is_over: bool = False


@dataclass(slots=True)
class _Process:
    """What this process remembers: doers by limit and window, its own counts, a failed store."""

    spenders: dict[tuple[str, str, int], _Spender]
    counted: dict[str, int]
    rest_until: float = 0.0
    turn: Lock = field(default_factory=Lock)
    """Threads that come at once share a lot."""


_here: Final = _Process({}, {})


def forget() -> None:
    """Drop what this process remembers (tests)."""
    _here.spenders.clear()
    _here.counted.clear()
    _here.rest_until = 0.0


def spend(limit: str, doer: str, *, lot: int = 1) -> None:
    """Count one deed of `doer` against a limit of settings.LIMITS. Raises TooMany.

    With `lot`, for deeds that come by the thousand, a process tells the shared count only of every
    so many. Then a doer may be allowed more than the limit says, by less than a lot per process;
    with a lot of one, never.
    """
    with _here.turn:
        _spend(limit, doer, lot)


def give_back(limit: str, doer: str) -> None:
    """Uncount the latest deed of `doer`, which was none of those that the limit is there for.

    It was counted alone, not in a lot. Whoever waits already is let in no sooner.
    """
    with _here.turn:
        rule = _rule(limit)
        window = int(time.time() // rule.seconds)
        spender = _here.spenders.get((limit, doer, window))
        if spender is None or spender.is_over:
            return
        key = _key(limit, doer, window)
        if key in _here.counted:
            _here.counted[key] -= 1
            return
        _count_shared(key, -1, rule.seconds)


def _spend(limit: str, doer: str, lot: int) -> None:
    rule = _rule(limit)
    now = time.time()
    window = int(now // rule.seconds)
    place = (limit, doer, window)
    spender = _here.spenders.get(place)
    if spender is None:
        _make_room(_here.spenders)
        spender = _here.spenders[place] = _Spender(min(lot, rule.count))
    wait = int((window + 1) * rule.seconds - now) + 1
    if spender.is_over:
        raise TooMany(limit, wait_seconds=wait)
    spender.untold += 1
    if spender.untold < spender.lot:
        return
    told, spender.untold = spender.untold, 0
    key = _key(limit, doer, window)
    counted = _count_shared(key, told, rule.seconds)
    if counted is None:
        if rule.when_down == "closed":
            raise TooMany(limit, wait_seconds=int(STORE_REST_SECONDS), is_closed=True)
        counted = _count_here(key, told)
    spender.is_over = counted > rule.count
    spender.lot = min(lot, max(1, rule.count - counted))
    if spender.is_over:
        raise TooMany(limit, wait_seconds=wait)


def _key(limit: str, doer: str, window: int) -> str:
    return f"limit:{limit}:{hashlib.sha256(doer.encode()).hexdigest()[:32]}:{window}"


def _count_shared(key: str, deeds: int, seconds: int) -> int | None:
    """The shared count with these deeds in it. None: nobody can count just now."""
    try:
        return _count(key, deeds, seconds)
    except (RedisError, OSError) as error:
        _here.rest_until = time.monotonic() + STORE_REST_SECONDS
        log.warning("the store of limits does not answer: %s", type(error).__name__)
        return None


def _rule(limit: str) -> Limit:
    count, seconds, when_down = settings.LIMITS[limit]
    return Limit(count, seconds, cast("Literal['closed', 'local']", when_down))


def _count(key: str, deeds: int, seconds: int) -> int | None:
    """None while the store rests."""
    if time.monotonic() < _here.rest_until:
        return None
    store = caches["default"]
    try:
        return int(store.incr(key, deeds))
    except ValueError:  # Nobody has counted in this window yet.
        store.add(key, 0, timeout=2 * seconds)
        return int(store.incr(key, deeds))


def _count_here(key: str, deeds: int) -> int:
    _make_room(_here.counted)
    _here.counted[key] = _here.counted.get(key, 0) + deeds
    return _here.counted[key]


def _make_room(kept: dict[Any, Any]) -> None:
    if len(kept) >= KEPT_MAX:
        kept.clear()
