"""How times are written for machines."""

from datetime import UTC, datetime


def time_text(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: "2026-11-23T02:00:00.000Z"."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_sql(at: str) -> str:
    """The same text as an SQL expression, `at` being one for a time."""
    return f"""to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
