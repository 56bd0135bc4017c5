"""How fast audit entries are sealed, against PostgreSQL writing one row for each of them."""

import sys
import time
from typing import Final

from django.db import connection

from compliance.audit.sealing import seal_audit

PER_SECOND_MIN: Final = 1000
"""A platform at full load writes fewer entries."""

_WAITING: Final = """
SELECT count(*) FROM compliance_auditentry e
 WHERE NOT EXISTS (SELECT FROM compliance_auditseal s WHERE s.entry_id = e.id)
"""
_FLOOR: Final = """
INSERT INTO floor.seal (entry, previous, hash)
SELECT id, decode(md5(id::text), 'hex'), decode(md5(facts::text), 'hex')
  FROM compliance_auditentry ORDER BY id DESC LIMIT %s
"""


def measure() -> bool:
    """Seal what the load has left, print the figures, and say whether the goal was reached."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        waiting = int(cursor.fetchone()[0])
        cursor.execute(
            "CREATE TABLE floor.seal (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " entry bigint UNIQUE, previous bytea, hash bytea)"
        )
        started = time.perf_counter()
        cursor.execute(_FLOOR, [waiting])
        floor = waiting / (time.perf_counter() - started)
    started = time.perf_counter()
    sealed = 0
    while part := seal_audit():
        sealed += part
    ours = sealed / (time.perf_counter() - started)
    if sealed != waiting:
        raise SystemExit(f"bench: {waiting} entries waited, {sealed} were sealed.")
    sys.stdout.write(
        f"{'sealing':14}{floor:>10.0f}{ours:>10.0f}{ours / floor:>8.3f}"
        f"   {sealed} entries, at least {PER_SECOND_MIN} a second\n"
    )
    return ours >= PER_SECOND_MIN
