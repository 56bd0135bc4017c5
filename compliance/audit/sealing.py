"""Seals audit entries into the chain: one sealer at a time, no lock on those who write entries."""

import logging
from typing import Final

from django.db import transaction
from django.utils import timezone

from compliance.audit.anchor import note_head
from compliance.audit.chain import GENESIS, Entry, link
from compliance.audit.progress import Progress
from compliance.database import prepared

log: Final = logging.getLogger(__name__)

LOCK: Final = 0x5EA1
BATCH_MAX: Final = 1000
BATCHES_MAX: Final = 20

COLUMNS: Final = (
    "e.id, e.at, e.actor_kind, e.actor_id, e.actor_label, e.address, e.action, "
    "e.subject_kind, e.subject_id, e.facts::text, e.reason, "
    "e.version, e.person, e.role, e.agent, e.before::text, e.after::text"
)
"""The columns of an Entry, for a statement that names compliance_auditentry `e`."""

_STAND: Final = """
SELECT coalesce(p.settled, 0), coalesce(p.watched, 0), p.watched_until,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       coalesce((SELECT max(id) FROM compliance_auditentry), 0)
  FROM (SELECT 1 AS id) one LEFT JOIN compliance_auditprogress p USING (id)
"""

_UNSEALED: Final = f"""
SELECT {COLUMNS} FROM compliance_auditentry e
 WHERE e.id > %s AND NOT EXISTS (SELECT FROM compliance_auditseal s WHERE s.entry_id = e.id)
 ORDER BY e.id LIMIT %s
"""  # noqa: S608  the only insertion is a constant of ours

_HEAD: Final = "SELECT position, hash FROM compliance_auditseal ORDER BY position DESC LIMIT 1"

_SEAL: Final = """
INSERT INTO compliance_auditseal (position, entry_id, previous, hash)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[])
"""

_SETTLE: Final = """
INSERT INTO compliance_auditprogress (id, settled, watched, watched_until) VALUES (1, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET settled = excluded.settled, watched = excluded.watched,
                               watched_until = excluded.watched_until
"""


def seal_audit() -> int:
    """Seal what is not sealed, and return how many entries that were. Bounded: run it again.

    Does nothing while another sealer is at work. The new head is noted outside the database, once
    for the whole run and only when it is committed.
    """
    total = 0
    for _batch in range(BATCHES_MAX):
        sealed = _seal_batch()
        total += sealed
        if sealed < BATCH_MAX:
            break
    if total:
        transaction.on_commit(_anchor)
    return total


def _anchor() -> None:
    """A file that cannot be written must not keep the chain from growing, but is cried out."""
    [(position, digest)] = prepared(_HEAD)
    try:
        note_head((position, bytes(digest)), at=timezone.now())
    except OSError:
        log.exception("the head of the audit trail at position %s could not be noted", position)


@transaction.atomic
def _seal_batch() -> int:
    if not prepared("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])[0][0]:
        return 0
    # Read before entries are looked for: what has ended here is visible there.
    [(settled, watched, until, oldest, newest, last)] = prepared(_STAND)
    progress = Progress(settled, watched, until)
    entries = [Entry(*row) for row in prepared(_UNSEALED, [progress.settled, BATCH_MAX])]
    if entries:
        _append(entries)
    if len(entries) < BATCH_MAX:
        after = progress.after_run(oldest=oldest, newest=newest, last=last)
        if after != progress:
            prepared(_SETTLE, [after.settled, after.watched, after.until])
    return len(entries)


def _append(entries: list[Entry]) -> None:
    head = prepared(_HEAD)
    position, previous = head[0] if head else (0, GENESIS)
    before: list[bytes] = []
    after: list[bytes] = []
    for entry in entries:
        before.append(previous)
        previous = link(previous, entry)
        after.append(previous)
    positions = list(range(position + 1, position + 1 + len(entries)))
    prepared(_SEAL, [positions, [entry.id for entry in entries], before, after])
