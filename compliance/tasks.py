"""Celery tasks of this storey."""

from celery import shared_task

from compliance.audit import sealing


@shared_task(name="compliance.seal_audit", time_limit=120)
def seal_audit() -> int:
    """Seal new audit entries. Safe to run twice at once: the second finds the first at work."""
    return sealing.seal_audit()
