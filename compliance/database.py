"""Prepared statements on Django's own connection, for the few places where the ORM is too slow.

Django's cursors write parameters into the statement on the client, which can never be prepared.
Here psycopg binds on the server, and with `prepare_threshold` 0 in the settings a statement is
parsed once per connection.
"""

import re
import select
from collections.abc import Mapping, Sequence
from functools import cache
from time import monotonic
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import OperationalError
from psycopg.types.numeric import Int8

Params = Sequence[object] | Mapping[str, object]
_PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\))?([s%])")


def prepared(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """Run one statement, written as a constant, and return its rows ([] when it returns none).

    It takes part in `transaction.atomic` and raises Django's database errors. Columns come as
    psycopg loads them under Django, which leaves `jsonb` as text.

    A connection that the server has closed meanwhile is replaced when that cannot repeat or lose
    anything: before the statement is sent, and once afterwards if it only reads; never inside an
    atomic block.
    """
    here = connections[DEFAULT_DB_ALIAS]
    if here.in_atomic_block:
        return _run(here, sql, params)
    drop_dead_connection()
    try:
        return _run(here, sql, params)
    except OperationalError:
        raw = here.connection
        if raw is None or not raw.closed:
            raise
        here.close()
        if not _is_read(sql):
            raise
    return _run(here, sql, params)


def drop_dead_connection() -> None:
    """Close Django's connection if the server hung up, so that the next statement opens a new one.

    Called at the start of each request. It costs a look at the socket: an idle connection has
    nothing to read, except when the server said goodbye or, rarely, something harmless.
    """
    here = connections[DEFAULT_DB_ALIAS]
    raw: psycopg.Connection[Any] | None = here.connection
    if raw is None or here.in_atomic_block:
        return
    if raw.closed or (_has_news(raw.pgconn.socket) and not here.is_usable()):
        here.close()


def _run(here: BaseDatabaseWrapper, sql: str, params: Params) -> list[tuple[Any, ...]]:
    here.ensure_connection()
    here.validate_no_broken_transaction()
    started = monotonic()
    # The cursor is made by hand, because the connection's own cursors bind on the client.
    with here.wrap_database_errors, psycopg.RawCursor(here.connection) as cursor:
        query, names = _numbered(sql)
        cursor.execute(query, _wide(params, names))
        # It has no row number when the statement returns no rows at all.
        rows = [] if cursor.rownumber is None else cursor.fetchall()
    if here.queries_logged:
        here.queries_log.append({"sql": sql, "time": f"{monotonic() - started:.3f}"})
    return rows


@cache
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with PostgreSQL's own placeholders, and the names in their order.

    Done once for each of our constants: psycopg does it at every call for one of more than 4,096
    characters, which cost a tenth of booking a notification.
    """
    names: list[str] = []
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found[2] == "%":
            return "%"
        if found[1] is None:
            count += 1
            return f"${count}"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PLACEHOLDER.sub(number, sql).encode(), tuple(names)


def _wide(params: Params, names: tuple[str, ...]) -> list[object]:
    """Send every int as bigint: psycopg would pick types by size, each another statement."""
    values = [params[name] for name in names] if isinstance(params, Mapping) else params
    return [Int8(v) if type(v) is int else v for v in values]


def _has_news(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def _is_read(sql: str) -> bool:
    return sql.lstrip()[:6].upper() == "SELECT"
