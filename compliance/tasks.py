"""Celery tasks of this storey."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.approvals import expiry
from compliance.audit import sealing, stamping
from compliance.identity import letters, links, notices, own_email, sessions
from compliance.jobs.registry import job
from compliance.protection.vault import files, sweeping
from compliance.reports import prepare
from compliance.retention import erase


@job("compliance.seal_audit", _("Seal the audit trail"), time_limit=120)
def seal_audit() -> int:
    """Seal new audit entries. Safe to run twice at once: the second finds the first at work."""
    return sealing.seal_audit()


@job("compliance.stamp_audit", _("Have the audit trail time-stamped"), time_limit=60)
def stamp_audit() -> int:
    """Have the newest block time-stamped. Safe to run twice at once: one stamp is kept."""
    return stamping.stamp_audit()


@job("compliance.expire_requests", _("End requests whose time ran out"), time_limit=120)
def expire_requests() -> int:
    """End requests whose time ran out. Safe to run twice at once: each takes other rows."""
    return expiry.expire_requests(at=timezone.now())


@job("compliance.send_letters", _("Send e-mails"), time_limit=300)
def send_letters() -> int:
    """Send the e-mails that are due. Safe to run twice at once: each takes other rows."""
    return letters.send_letters(at=timezone.now())


@job("compliance.forget_what_is_old", _("Forget old sessions, links and letters"), time_limit=120)
def forget_what_is_old() -> int:
    """Delete what is known of sessions, links and letters of weeks ago, and a year's notices."""
    now = timezone.now()
    return (
        sessions.forget_old_sessions(at=now)
        + links.forget_old_links(at=now)
        + letters.forget_old_letters(at=now)
        + notices.forget_old_notices(at=now)
        + own_email.forget_old_changes(at=now)
    )


@job("compliance.scan_waiting_files", _("Scan files in quarantine"), time_limit=900)
def scan_waiting_files() -> int:
    """Scan files that are in quarantine. Safe to run twice at once: each takes other rows."""
    return files.scan_waiting(at=timezone.now())


@job("compliance.sweep_vault", _("Look for files that no row holds"), time_limit=3600)
def sweep_vault() -> int:
    """Find files that a crash left behind. Safe to run twice at once: what is gone is gone."""
    return sweeping.sweep_vault(at=timezone.now())


@job("compliance.go_on_erasing", _("Erase what two people agreed to"), time_limit=900)
def go_on_erasing() -> int:
    """Erase what two people agreed to. Safe to run twice at once: what is gone is passed over."""
    return erase.go_on(at=timezone.now())


@job("compliance.make_reports", _("Make reports"), time_limit=580)
def make_reports() -> int:
    """Make reports that were asked for. Safe to run twice at once: each is in one hand."""
    made = 0
    while claimed := prepare.claim_due(at=timezone.now()):
        made += sum(prepare.make(pk, at=timezone.now()) for pk in claimed)
    return made
