"""Celery tasks of this storey."""

from celery import shared_task
from django.utils import timezone

from merchants.screening import rescreen
from merchants.support import links
from merchants.terms import watch


@shared_task(name="merchants.go_on_screening", time_limit=900)
def go_on_screening() -> int:
    """Screen everybody anew when lists change. Safe to run twice at once: each has a source."""
    return rescreen.go_on_screening(at=timezone.now())


@shared_task(name="merchants.watch_terms", time_limit=900)
def watch_terms() -> int:
    """Write about papers that run out, and limit or stop their merchants. Safe to run at once."""
    return watch.watch_terms(at=timezone.now())


@shared_task(name="merchants.forget_ticket_links", time_limit=120)
def forget_ticket_links() -> int:
    """Delete links to tickets that open nothing any more. Safe to run at once."""
    return links.forget_old_links(at=timezone.now())
