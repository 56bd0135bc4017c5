"""Shares the places of one delivering process out, so that no receiver takes them from the rest.

Knows no rows and no clock.
"""

from collections import Counter
from typing import Final

from payments.callbacks.claiming import Claimed, Crowded

AT_ONCE: Final = 128
PER_LANE: Final = 16
"""An endpoint that answers slowly holds at most about so many of the places,"""
PER_MERCHANT: Final = 48
"""a merchant with several such endpoints so many,"""
PER_FAILING: Final = 4
"""one from which no answer comes so many,"""
ALL_FAILING: Final = 64
"""and all of those together half: the other half is always there for those who answer."""


class Places:
    """Who is being sent to, and who has not answered lately."""

    def __init__(self) -> None:
        self._lanes: Counter[int] = Counter()
        self._merchants: Counter[int] = Counter()
        self._failing: set[int] = set()

    @property
    def free(self) -> int:
        """How many more can be under way."""
        return AT_ONCE - self._lanes.total()

    def take(self, claimed: Claimed) -> None:
        """One more is under way."""
        self._lanes[claimed.lane] += 1
        self._merchants[claimed.merchant_id] += 1

    def leave(self, claimed: Claimed) -> None:
        """It has come to an end."""
        self._lanes[claimed.lane] -= 1
        self._merchants[claimed.merchant_id] -= 1

    def note(self, lane: int, *, is_failing: bool) -> None:
        """Remember how a receiver is doing."""
        (self._failing.add if is_failing else self._failing.discard)(lane)

    def crowded(self) -> Crowded | None:
        """What may not be claimed now. None: all is well, and who waits longest goes first."""
        lanes = [lane for lane, count in self._lanes.items() if count >= self._most(lane)]
        merchants = [one for one, count in self._merchants.items() if count >= PER_MERCHANT]
        held = sum(self._lanes[lane] for lane in self._failing)
        if held >= ALL_FAILING:
            return Crowded(
                lanes=sorted({*lanes, *self._failing}), merchants=merchants, only_healthy=True
            )
        if lanes or merchants or self._failing:
            return Crowded(lanes=lanes, merchants=merchants)
        return None

    def _most(self, lane: int) -> int:
        return PER_FAILING if lane in self._failing else PER_LANE
