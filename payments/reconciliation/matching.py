"""The rules of matching. `joining` says the same in SQL; a test holds the two together.

A line and a booking belong together when they have the same kind and our number. Of what differs,
the first of these is told: the state, the amount, the fee.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MILLION: Final = 1_000_000
SHIFT: Final = timedelta(days=5)
"""How far apart the two sides may name their days and still mean the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a channel is agreed to keep."""

    rate_ppm: int
    returns_on_refund: bool


def expected_fee(minor: int, kind: str, terms: Terms | None) -> int | None:
    """What a line should cost us, in minor units; half a unit counts as one. None: nobody knows."""
    if terms is None:
        return None
    fee = (minor * terms.rate_ppm + MILLION // 2) // MILLION
    match kind:
        case "payment":
            return fee
        case "refund":
            return -fee if terms.returns_on_refund else 0
        case _:
            return None
