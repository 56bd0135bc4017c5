"""Celery's part in callbacks: to wake the delivery. The rows say what is due."""

from celery import shared_task

from payments.callbacks.deliver import deliver_due


@shared_task(name="payments.deliver_due_callbacks", time_limit=120)
def deliver_due_callbacks() -> int:
    """Deliver what is due. Runs in a queue of its own, so that slow merchants delay nothing
    else.
    """
    return deliver_due()
