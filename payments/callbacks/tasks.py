"""Celery's part in callbacks: to wake the delivery. The rows say what is due."""

from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from payments.callbacks.deliver import deliver_due


@job("payments.deliver_due_callbacks", _("Deliver callbacks"), time_limit=120)
def deliver_due_callbacks() -> int:
    """Deliver what is due. Runs in a queue of its own, so that slow merchants delay nothing
    else.
    """
    return deliver_due()
