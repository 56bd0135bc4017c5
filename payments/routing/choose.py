"""The pure choice of a channel for one attempt, with its reasons."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from payments.channels.configuration import Offers


class Why(StrEnum):
    """Why a channel was passed over."""

    STOPPED = "channel_stopped"
    METHOD = "method_not_offered"
    BELOW = "amount_below_limit"
    ABOVE = "amount_above_limit"
    MERCHANT = "merchant_not_allowed"
    FAILING = "channel_failing"
    TRIED = "channel_refused_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A channel as the choice sees it. `may_try` is its circuit's word."""

    id: int
    code: str
    gateway: str
    offers: Offers
    is_active: bool
    may_try: bool
    is_trial: bool = False
    """The attempt would find out whether the channel works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is wanted. `tried` are codes that refused the same payment a moment ago."""

    method: str
    gateway: str
    amount_minor: int
    merchant: str
    tried: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The channel, if any can serve, and who was passed over for which reason."""

    channel: Candidate | None
    passed: tuple[tuple[str, Why], ...]

    @property
    def reason(self) -> str:
        """Why nothing serves, in one word: the last obstacle is the nearest to a way out."""
        if self.channel is not None:
            return ""
        return str(self.passed[-1][1]) if self.passed else "no_channel"

    def to_json(self) -> dict[str, Any]:
        """What an attempt keeps."""
        return {
            "channel": self.channel.code if self.channel else "",
            "is_trial": bool(self.channel and self.channel.is_trial),
            "passed": [{"channel": code, "why": str(why)} for code, why in self.passed],
        }


def choose(candidates: Iterable[Candidate], ask: Ask) -> Choice:
    """The first of the gateway's channels, in the given order, that nothing speaks against."""
    passed: list[tuple[str, Why]] = []
    for candidate in candidates:
        if candidate.gateway != ask.gateway:
            continue
        why = against(candidate, ask)
        if why is None:
            return Choice(channel=candidate, passed=tuple(passed))
        passed.append((candidate.code, why))
    return Choice(channel=None, passed=tuple(passed))


def against(candidate: Candidate, ask: Ask) -> Why | None:
    """What speaks against a channel; what lasts before what passes."""
    offers = candidate.offers
    obstacles = (
        (not candidate.is_active, Why.STOPPED),
        (bool(offers.methods) and ask.method not in offers.methods, Why.METHOD),
        (bool(offers.merchants) and ask.merchant not in offers.merchants, Why.MERCHANT),
        (offers.amount_min_minor is not None and ask.amount_minor < offers.amount_min_minor,
         Why.BELOW),
        (offers.amount_max_minor is not None and ask.amount_minor > offers.amount_max_minor,
         Why.ABOVE),
        (candidate.code in ask.tried, Why.TRIED),
        (not candidate.may_try, Why.FAILING),
    )  # fmt: skip
    return next((why for stands, why in obstacles if stands), None)
