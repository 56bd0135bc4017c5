"""Finds where a moment lies in a table that only grows, without an index on its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

SLACK: Final = timedelta(hours=3)
"""Rows are numbered in the order of their times but for some jitter: searches start earlier."""

_HALVE: Final = """
WITH RECURSIVE halve (lo, hi) AS (
  SELECT min(id), max(id) + 1 FROM {table}
  UNION ALL
  SELECT CASE WHEN near.at < %(at)s THEN near.id + 1 ELSE halve.lo END,
         CASE WHEN near.at < %(at)s THEN halve.hi ELSE middle.id END
    FROM halve,
         LATERAL (SELECT (halve.lo + halve.hi) / 2 AS id) AS middle,
         LATERAL (SELECT t.id, t.{time} AS at FROM {table} t
                   WHERE t.id >= middle.id ORDER BY t.id LIMIT 1) AS near
   WHERE halve.lo < halve.hi
)
SELECT lo FROM halve WHERE lo >= hi
"""


def first_id_since(table: str, column: str, *, at: datetime) -> int:
    """The id before which all rows of the table are older than `at`. 0: there are no rows.

    One statement that halves the primary key some thirty times. The caller still compares the exact
    time, row by row. Table and column are names from code, never from a request.
    """
    quote = connection.ops.quote_name
    sql = _HALVE.format(table=quote(table), time=quote(column))
    with connection.cursor() as cursor:
        cursor.execute(sql, {"at": at - SLACK})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Span:
    """From the first moment of a day to the last one of another, in the platform's time zone."""

    start: datetime
    end: datetime

    @property
    def end_with_jitter(self) -> datetime:
        """After this moment no row of the span was numbered."""
        return self.end + 2 * SLACK

    def lookups(self, column: str) -> dict[str, datetime]:
        """The exact condition."""
        return {f"{column}__gte": self.start, f"{column}__lt": self.end}

    def keys(self, table: str, column: str) -> tuple[int, int]:
        """Keys between which all rows of the span lie, both excluded. Two statements."""
        low = max(0, first_id_since(table, column, at=self.start) - 1)
        return low, first_id_since(table, column, at=self.end_with_jitter)
