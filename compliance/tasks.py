"""Celery tasks of this storey."""

from celery import shared_task
from django.utils import timezone

from compliance.approvals import expiry
from compliance.audit import sealing, stamping
from compliance.identity import letters, links, sessions
from compliance.protection.vault import files
from compliance.reports import prepare
from compliance.retention import erase


@shared_task(name="compliance.seal_audit", time_limit=120)
def seal_audit() -> int:
    """Seal new audit entries. Safe to run twice at once: the second finds the first at work."""
    return sealing.seal_audit()


@shared_task(name="compliance.stamp_audit", time_limit=60)
def stamp_audit() -> bool:
    """Have the newest block time-stamped. Safe to run twice at once: one stamp is kept."""
    return stamping.stamp_audit()


@shared_task(name="compliance.expire_requests", time_limit=120)
def expire_requests() -> int:
    """End requests whose time ran out. Safe to run twice at once: each takes other rows."""
    return expiry.expire_requests(at=timezone.now())


@shared_task(name="compliance.send_letters", time_limit=300)
def send_letters() -> int:
    """Send the e-mails that are due. Safe to run twice at once: each takes other rows."""
    return letters.send_letters(at=timezone.now())


@shared_task(name="compliance.forget_what_is_old", time_limit=120)
def forget_what_is_old() -> int:
    """Delete what is known of sessions, links and letters of weeks ago."""
    now = timezone.now()
    return (
        sessions.forget_old_sessions(at=now)
        + links.forget_old_links(at=now)
        + letters.forget_old_letters(at=now)
    )


@shared_task(name="compliance.scan_waiting_files", time_limit=900)
def scan_waiting_files() -> int:
    """Scan files that are in quarantine. Safe to run twice at once: each takes other rows."""
    return files.scan_waiting(at=timezone.now())


@shared_task(name="compliance.go_on_erasing", time_limit=900)
def go_on_erasing() -> int:
    """Erase what two people agreed to. Safe to run twice at once: what is gone is passed over."""
    return erase.go_on(at=timezone.now())


@shared_task(name="compliance.make_reports", time_limit=580)
def make_reports() -> int:
    """Make reports that were asked for. Safe to run twice at once: each is in one hand."""
    made = 0
    while claimed := prepare.claim_due(at=timezone.now()):
        made += sum(prepare.make(pk, at=timezone.now()) for pk in claimed)
    return made
