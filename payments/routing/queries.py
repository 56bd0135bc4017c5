"""The channels of a mode as the choice sees them, and the choice itself."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from payments.channels.configuration import Offers
from payments.channels.models import Channel
from payments.channels.registry import also_forget, methods
from payments.channels.states import ChannelState
from payments.routing.breaker import Health, may_try
from payments.routing.choose import Ask, Candidate, Choice, choose
from payments.routing.health import health_of
from payments.routing.states import BreakerState

FRESH_SECONDS: Final = 1.0
"""How long a process shows what it read. An attempt looks at its channel's row once more."""


@dataclass(frozen=True, slots=True)
class _Read:
    channel: Channel
    offers: Offers
    health: Health


_read: Final[dict[bool, tuple[float, list[_Read]]]] = {}


def forget() -> None:
    """Drop what this process remembers: after a change, and in tests."""
    _read.clear()


also_forget(forget)


def channels_of(*, livemode: bool) -> list[Channel]:
    """All channels of a mode that were ever active, the oldest first. One query a second."""
    return [one.channel for one in _fresh(livemode=livemode)]


def _fresh(*, livemode: bool) -> list[_Read]:
    read_at, found = _read.get(livemode, (0.0, []))
    now = time.monotonic()
    if not found or now - read_at > FRESH_SECONDS:
        rows = Channel.objects.filter(livemode=livemode).exclude(state=ChannelState.DRAFT)
        found = [
            _Read(row, Offers.from_json(row.offers), health_of(getattr(row, "health", None)))
            for row in rows.select_related("health").order_by("id")
        ]
        _read[livemode] = (now, found)
    return found


def candidates(*, livemode: bool, at: datetime) -> list[Candidate]:
    """The same as the choice sees them."""
    return [
        Candidate(
            id=one.channel.pk, code=one.channel.code, gateway=one.channel.gateway,
            offers=one.offers, is_active=one.channel.state == ChannelState.ACTIVE,
            may_try=may_try(one.health, at=at),
            is_trial=one.health.state is not BreakerState.CLOSED,
        )
        for one in _fresh(livemode=livemode)
    ]  # fmt: skip


def route(
    *,
    method: str,
    livemode: bool,
    amount_minor: int,
    merchant: str,
    at: datetime,
    tried: frozenset[str] = frozenset(),
) -> Choice:
    """Which channel would serve this payment by this method. An unknown method has none."""
    dialect, _method = methods().get(method, (None, None))
    ask = Ask(
        method=method, gateway=dialect.name if dialect else "", amount_minor=amount_minor,
        merchant=merchant, tried=tried,
    )  # fmt: skip
    return choose(candidates(livemode=livemode, at=at), ask)


def is_working(channel_id: int) -> bool:
    """Whether the channel is active this moment, whatever the process remembers."""
    return Channel.objects.filter(pk=channel_id, state=ChannelState.ACTIVE).exists()
