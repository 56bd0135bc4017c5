"""Seals audit entries into the chain: one sealer at a time, no lock on those who write entries."""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.anchor import Head, are_notes_lost, note_heads, notes_length
from compliance.audit.blocks import close_blocks
from compliance.audit.chain import GENESIS, Entry, link
from compliance.audit.progress import Progress
from compliance.audit.trail import record
from compliance.database import prepared
from compliance.steps import step

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


_UNNOTED: Final = """
SELECT s.position, s.hash, b.number, b.hash
  FROM compliance_auditblock b JOIN compliance_auditseal s ON s.position = b.last
 WHERE b.number > coalesce((SELECT noted_block FROM compliance_auditprogress), 0)
 ORDER BY b.number LIMIT %s
"""

_NOTED: Final = """
INSERT INTO compliance_auditprogress (id, noted_block, noted_bytes) VALUES (1, %s, %s)
ON CONFLICT (id) DO UPDATE
   SET noted_block = greatest(compliance_auditprogress.noted_block, excluded.noted_block),
       noted_bytes = greatest(compliance_auditprogress.noted_bytes, excluded.noted_bytes)
"""

_LOST: Final = """
UPDATE compliance_auditprogress SET are_notes_lost = true WHERE NOT are_notes_lost RETURNING id
"""
_RESTART: Final = """
UPDATE compliance_auditprogress SET noted_bytes = %s, are_notes_lost = false
"""


def seal_audit() -> int:
    """Seal what is not sealed, and return how many entries that were. Bounded: run it again.

    Does nothing while another sealer is at work. Each batch becomes a block; blocks are noted
    outside the database, and only when they are committed.
    """
    total = 0
    for _batch in range(BATCHES_MAX):
        sealed = _seal_batch()
        total += sealed
        if sealed < BATCH_MAX:
            break
    step("audit.sealed")
    transaction.on_commit(_anchor)
    return total


@transaction.atomic
def restart_notes(*, reason: str, actor: Actor, at: datetime) -> None:
    """Begin with the file of noted heads as it is now, even if it is shorter or gone.

    Called by an administrator of the server who knows why: it was put aside after a restore.
    """
    record(actor, "audit.notes_restarted", subject=("audit", "notes"), reason=reason, at=at)
    prepared(_RESTART, [notes_length()])


def _anchor() -> None:
    """Note every block that is not noted yet, also those of a sealer that was killed.

    A file that cannot be written must not keep the chain from growing, but is cried out.
    """
    heads = [Head(*row) for row in prepared(_UNNOTED, [BATCH_MAX])]
    if not heads:
        return
    if are_notes_lost():
        _cry_out()
    try:
        length = note_heads(heads, at=timezone.now())
    except OSError:
        position = heads[-1].position
        log.exception("the head of the audit trail at position %s could not be noted", position)
        return
    step("audit.noted")
    prepared(_NOTED, [heads[-1].block, length])


@transaction.atomic
def _cry_out() -> None:
    """Once: a file that grows again would look as long as the one that is gone."""
    if prepared(_LOST):
        log.error("heads of the audit trail were noted, and the file is gone or was shortened")
        record(SYSTEM, "alarm.notes_lost", subject=("audit", "notes"), at=timezone.now())


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
    step("audit.linked")
    close_blocks(most=BATCH_MAX)
    step("audit.blocked")
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
