"""How many must agree to an amount, and whether somebody splits a large one into small ones."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from compliance.approvals.models import Approval
from compliance.approvals.registry import Facts
from compliance.approvals.states import ApprovalState
from compliance.identity.models import User

Bands = Sequence[tuple[int | None, int]]
"""(up to this amount, how many must agree), from the smallest; the last goes up to None."""

WINDOW: Final = timedelta(hours=24)
COUNTED: Final = (ApprovalState.PENDING, ApprovalState.EXECUTED)


def needed_by(bands: Bands, *, amount: str, together: str = "") -> Callable[[Facts], int]:
    """The `needed` of a kind whose payload names an amount in minor units.

    `together` names what the maker asked for lately with this request in it (see `asked_lately`):
    the larger of the two decides, so that many small requests need what one large would.
    """
    limits = [limit for limit, _count in bands]
    if not bands or limits[-1] is not None or None in limits[:-1]:
        raise ValueError("the last band, and only it, goes up to None")
    if sorted(filter(None, limits)) != limits[:-1]:
        raise ValueError("bands go from the smallest to the largest")

    def needed(payload: Facts) -> int:
        asked = max(int(payload[amount]), int(payload[together]) if together else 0)
        return next(count for limit, count in bands if limit is None or asked <= limit)

    return needed


def asked_lately(
    *, kind: str, maker: User, about: str, value: str, amount: str, at: datetime
) -> int:
    """The sum of what this person asked for within a day for one object, refused ones left out.

    `about` names the object in the payload (an order, a payee), `value` is this one's. A room adds
    the new amount and puts the sum into its payload, where it is frozen with the rest.
    """
    rows = Approval.objects.filter(
        kind=kind, maker_person=maker.person_ref, state__in=COUNTED, created_at__gt=at - WINDOW,
        created_at__lte=at,
    ).values_list("payload", flat=True)  # fmt: skip
    payloads = map(json.loads, rows)
    return sum(int(one[amount]) for one in payloads if str(one.get(about, "")) == value)
