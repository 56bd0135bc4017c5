"""What pages show of the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.audit.models import AuditEntry, AuditSeal
from compliance.audit.search import Wanted, narrowed
from compliance.audit.verify import Break, verify_tail
from compliance.database import prepared

CHECKED_MAX: Final = 1000
"""How many of the newest seals a page checks itself; `verify_audit` checks all."""


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """How the chain stands. `checked` counts the newest seals that were recomputed for it."""

    sealed: int
    waiting: int
    head: str
    sealed_at: datetime | None
    checked: int
    broken: Break | None


_WAITING: Final = """
SELECT count(*) FROM compliance_auditentry e
 WHERE e.id > coalesce((SELECT settled FROM compliance_auditprogress), 0)
   AND NOT EXISTS (SELECT FROM compliance_auditseal s WHERE s.entry_id = e.id)
"""


def chain_status(*, at: datetime) -> ChainStatus:
    """How far the sealer has got, and whether the newest part of the chain holds."""
    last = AuditSeal.objects.order_by("-position").first()
    sealed = last.position if last else 0
    verdict = verify_tail(length=CHECKED_MAX, at=at)
    return ChainStatus(
        sealed=sealed,
        waiting=prepared(_WAITING)[0][0],
        head=verdict.head.hex(),
        sealed_at=last.sealed_at if last else None,
        checked=verdict.checked,
        broken=verdict.broken,
    )


def latest_entries(limit: int, *, subject: str = "") -> list[AuditEntry]:
    """The latest entries, newest first. `subject` is `kind` or `kind number`."""
    return list(narrowed(AuditEntry.objects.all(), Wanted(subject=subject))[:limit])
