"""Lets the test runner empty the database between stories, which our triggers would refuse anyone
else.
"""

from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

_flush = DatabaseOperations.execute_sql_flush


def _flush_with_triggers_asleep(self: DatabaseOperations, sql_list: Iterable[str]) -> Any:
    return _flush(
        self,
        [
            "SET session_replication_role = replica",
            *sql_list,
            "SET session_replication_role = origin",
        ],
    )


def allow_emptying() -> None:
    """Give the test connection the power to flush."""
    DatabaseOperations.execute_sql_flush = _flush_with_triggers_asleep  # type: ignore[method-assign,assignment]
