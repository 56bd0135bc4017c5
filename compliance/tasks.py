"""Celery tasks of this storey."""

from celery import shared_task
from django.utils import timezone

from compliance.approvals import expiry
from compliance.audit import sealing
from compliance.identity import sessions


@shared_task(name="compliance.seal_audit", time_limit=120)
def seal_audit() -> int:
    """Seal new audit entries. Safe to run twice at once: the second finds the first at work."""
    return sealing.seal_audit()


@shared_task(name="compliance.expire_requests", time_limit=120)
def expire_requests() -> int:
    """End requests whose time ran out. Safe to run twice at once: each takes other rows."""
    return expiry.expire_requests(at=timezone.now())


@shared_task(name="compliance.forget_old_sessions", time_limit=120)
def forget_old_sessions() -> int:
    """Delete what is known of sessions of weeks ago."""
    return sessions.forget_old_sessions(at=timezone.now())
