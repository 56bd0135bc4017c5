"""Keeps the circuits: what calls to gateways came to, told to all processes.

Successes are counted in the process and told every few seconds; a failure, and the answer of a
channel that is being tried, at once. So a well channel costs payments almost no writing.
"""

import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from payments.channels.base import Done, QrCode, Rejected, Trade, Unknown
from payments.routing.breaker import Health, heard, trying
from payments.routing.models import ChannelHealth
from payments.routing.states import BreakerState

TELL_SECONDS: Final = 5.0


@dataclass(slots=True)
class _Tally:
    ok: int
    told_at: float


_tallies: Final[dict[int, _Tally]] = {}


def forget() -> None:
    """Drop what this process counted (tests)."""
    _tallies.clear()


def health_of(row: ChannelHealth | None) -> Health:
    """The row as the rule knows it; no row is a channel that never failed."""
    if row is None:
        return Health()
    return Health(
        state=BreakerState(row.state), since=row.since, ok=row.ok, failed=row.failed,
        opened=row.opened, retry_at=row.retry_at,
    )  # fmt: skip


def listen(channel_id: int, outcome: Any, *, at: datetime, was_closed: bool = True) -> None:
    """Take in how a call to the channel's gateway ended. Called outside of transactions.

    `was_closed` is false when the attempt was let through to find out. Answers that were made
    without a call (an address, a form) prove nothing and are left out.
    """
    match outcome:
        case Unknown() | Rejected(is_our_fault=True):
            _tell(channel_id, ok=0, failed=1, at=at)
        case Done(value=QrCode() | Trade()) | Rejected():
            tally = _tallies.setdefault(channel_id, _Tally(0, time.monotonic()))
            tally.ok += 1
            if not was_closed or time.monotonic() - tally.told_at >= TELL_SECONDS:
                _tell(channel_id, ok=0, failed=0, at=at)
        case _:
            pass


def claim_trial(channel_id: int, *, at: datetime) -> bool:
    """Whether this attempt is the one that may find out whether the channel works again."""
    with transaction.atomic():
        row = ChannelHealth.objects.select_for_update().get(channel_id=channel_id)
        if row.state == BreakerState.CLOSED:
            return True
        if row.retry_at is not None and at < row.retry_at:
            return False
        _write(row, trying(health_of(row), at=at))
        return True


def _tell(channel_id: int, *, ok: int, failed: int, at: datetime) -> None:
    tally = _tallies.pop(channel_id, None)
    ok += tally.ok if tally else 0
    with transaction.atomic():
        ChannelHealth.objects.get_or_create(channel_id=channel_id)
        row = (
            ChannelHealth.objects.select_for_update(of=["self"])
            .select_related("channel")
            .get(channel_id=channel_id)
        )
        before = health_of(row)
        after = heard(before, ok=ok, failed=failed, at=at)
        if after == before:
            return
        _write(row, after)
        if after.state is not before.state:
            is_open = after.state is BreakerState.OPEN
            record(
                SYSTEM, "channel.taken_out" if is_open else "channel.came_back",
                subject=("channel", row.channel.code), at=at,
                facts={"failed": before.failed + failed, "times": after.opened},
                before={"state": str(before.state)}, after={"state": str(after.state)},
            )  # fmt: skip


def _write(row: ChannelHealth, health: Health) -> None:
    for name, value in asdict(health).items():
        setattr(row, name, value)
    row.save()
