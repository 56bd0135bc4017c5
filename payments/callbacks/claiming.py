"""Takes due callbacks. Whoever claims a row has a lease on it; a lease that runs out is claimed
again.

Callbacks to one receiver form a *lane*: those of an endpoint, or those of a merchant to addresses
that its payments name (whose lane is the merchant's number, negative). While every lane is free,
what is due longest goes first. As soon as one is not, lanes take turns, and a lane that may not go
is stepped over whole, however many callbacks wait in it.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

LEASE: Final = timedelta(seconds=60)
"""Longer than a try may take; after a crash the row is free again when it ends."""
EACH: Final = 4
"""So many of one lane are taken in a turn."""

_LANE: Final = "COALESCE(endpoint_id, merchant_id * -1)"
_FREE: Final = "(lease_until IS NULL OR lease_until <= %(now)s)"

_OLDEST: Final = f"""
WITH picked AS MATERIALIZED (
  SELECT id FROM payments_callback
   WHERE state = 'pending' AND due_at <= %(now)s AND {_FREE}
     AND NOT EXISTS (SELECT FROM payments_endpoint WHERE paused_until > %(now)s)
   ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""  # noqa: S608  constants of ours

_IN_TURN: Final = f"""
WITH RECURSIVE lanes AS (
  (SELECT {_LANE} AS lane, merchant_id, due_at FROM payments_callback
    WHERE state = 'pending' ORDER BY {_LANE}, due_at LIMIT 1)
  UNION ALL
  SELECT next.lane, next.merchant_id, next.due_at FROM lanes, LATERAL (
    SELECT {_LANE} AS lane, merchant_id, due_at FROM payments_callback
     WHERE state = 'pending' AND {_LANE} > lanes.lane ORDER BY {_LANE}, due_at LIMIT 1) AS next
), ready AS (
  SELECT lanes.lane, head.due_at
    FROM lanes LEFT JOIN payments_endpoint p ON p.id = lanes.lane, LATERAL (
      SELECT due_at FROM payments_callback
       WHERE state = 'pending' AND {_LANE} = lanes.lane AND due_at <= %(now)s AND {_FREE}
       ORDER BY due_at LIMIT 1) AS head
   WHERE lanes.due_at <= %(now)s
     AND lanes.lane <> ALL(%(lanes)s) AND lanes.merchant_id <> ALL(%(merchants)s)
     AND (p.paused_until IS NULL OR p.paused_until <= %(now)s)
     AND (NOT %(only_healthy)s OR p.failing_since IS NULL)
   ORDER BY head.due_at LIMIT %(limit)s
), picked AS MATERIALIZED (
  SELECT one.id, row_number() OVER (PARTITION BY ready.lane ORDER BY one.due_at) AS turn, one.due_at
    FROM ready, LATERAL (
      SELECT id, due_at FROM payments_callback
       WHERE state = 'pending' AND {_LANE} = ready.lane AND due_at <= %(now)s AND {_FREE}
       ORDER BY due_at LIMIT %(each)s FOR UPDATE SKIP LOCKED) AS one
   ORDER BY turn, one.due_at LIMIT %(limit)s)
"""  # noqa: S608  as above
# The first part hops from lane to lane over an index: it reads one row of each, not all that wait.

_TAKE: Final = """
UPDATE payments_callback c
   SET lease_until = %(until)s, tries = c.tries + 1
  FROM payments_event e
 WHERE e.id = c.event_id AND c.id IN (SELECT id FROM picked)
RETURNING c.id, c.tries, c.url, c.merchant_id, c.endpoint_id, e.public_id, e.type, e.created_at,
          e.data
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A callback that is ours to deliver until its lease ends."""

    id: int
    tries: int
    url: str
    merchant_id: int
    endpoint_id: int | None
    event: str
    kind: str
    created_at: datetime
    data: dict[str, Any]

    @property
    def lane(self) -> int:
        """Which receiver it goes to, as the statements here name it."""
        return -self.merchant_id if self.endpoint_id is None else self.endpoint_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowded:
    """What may not be claimed now."""

    lanes: list[int] = field(default_factory=list)
    merchants: list[int] = field(default_factory=list)
    only_healthy: bool = False
    """Leave out endpoints that fail at present."""


def claim(*, at: datetime, limit: int, crowded: Crowded | None = None) -> list[Claimed]:
    """Take callbacks that are due longest, or, where some lanes are crowded or paused, of the other
    lanes in turn. No lock is held afterwards.
    """
    values = {"now": at, "until": at + LEASE, "limit": limit}
    if crowded is None and (found := _take(_OLDEST, values)):
        return found
    crowded = crowded or Crowded()
    return _take(_IN_TURN, {
        **values, "each": EACH, "lanes": crowded.lanes, "merchants": crowded.merchants,
        "only_healthy": crowded.only_healthy,
    })  # fmt: skip


def _take(pick: str, values: dict[str, Any]) -> list[Claimed]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(pick + _TAKE, values)
        rows = cursor.fetchall()
    return [_claimed(row) for row in rows]


def _claimed(row: tuple[Any, ...]) -> Claimed:
    number, tries, url, merchant, endpoint, event, kind, created_at, data = row
    return Claimed(
        number, tries, url, merchant, endpoint, event, kind, created_at, json.loads(data)
    )
