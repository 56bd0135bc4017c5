"""Celery tasks of this storey."""

from celery import shared_task
from django.utils import timezone

from merchants.screening import rescreen


@shared_task(name="merchants.go_on_screening", time_limit=900)
def go_on_screening() -> int:
    """Screen everybody anew when lists change. Safe to run twice at once: each has a source."""
    return rescreen.go_on_screening(at=timezone.now())
