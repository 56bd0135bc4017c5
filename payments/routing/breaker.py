"""The pure rule by which a failing channel is taken out and comes back. Times are arguments.

Closed, it counts answers and failures over a window. Open, it takes nothing until `retry_at`.
Then one attempt at a time may try (half-open): an answer closes it, a failure opens it for twice as
long. An attempt that never reports is forgotten after `PROBE`, so that the way back is never lost.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from payments.routing.states import BreakerState

WINDOW: Final = timedelta(seconds=60)
FAILED_MIN: Final = 5
"""Fewer failures in a window prove nothing."""
FAILED_SHARE: Final = 2
"""Every second call must have failed."""
WAIT: Final = timedelta(seconds=30)
WAIT_MAX: Final = timedelta(minutes=10)
PROBE: Final = timedelta(seconds=20)
"""Longer than a call may last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One channel's circuit. `opened` counts how often it opened in a row."""

    state: BreakerState = BreakerState.CLOSED
    since: datetime | None = None
    """When the present window began."""
    ok: int = 0
    failed: int = 0
    opened: int = 0
    retry_at: datetime | None = None


def may_try(health: Health, *, at: datetime) -> bool:
    """Whether an attempt may be opened on the channel now."""
    if health.state is BreakerState.CLOSED:
        return True
    return health.retry_at is None or at >= health.retry_at


def trying(health: Health, *, at: datetime) -> Health:
    """An attempt goes to find out. Called only when the circuit is not closed and `may_try`."""
    return replace(health, state=BreakerState.HALF_OPEN, retry_at=at + PROBE)


def heard(health: Health, *, ok: int, failed: int, at: datetime) -> Health:
    """What becomes of the circuit after so many answers and failures.

    While it is open, calls that began earlier still end; they decide nothing.
    """
    match health.state:
        case BreakerState.OPEN:
            return health
        case BreakerState.HALF_OPEN if failed:
            return _opened(health, at=at)
        case BreakerState.HALF_OPEN:
            return Health(since=at, opened=health.opened) if ok else health
        case BreakerState.CLOSED:
            return _counted(health, ok=ok, failed=failed, at=at)


def _counted(health: Health, *, ok: int, failed: int, at: datetime) -> Health:
    if health.since is None or at - health.since >= WINDOW:
        was_well = health.failed == 0
        health = Health(since=at, opened=0 if was_well else health.opened)
    counted = replace(health, ok=health.ok + ok, failed=health.failed + failed)
    calls = counted.ok + counted.failed
    if counted.failed >= FAILED_MIN and counted.failed * FAILED_SHARE >= calls:
        return _opened(counted, at=at)
    return counted


def _opened(health: Health, *, at: datetime) -> Health:
    wait = min(WAIT_MAX, WAIT * 2 ** min(health.opened, 10))
    return Health(state=BreakerState.OPEN, since=at, opened=health.opened + 1, retry_at=at + wait)
