"""Periodic work of the books."""

from celery import shared_task

from payments.ledger.balances import checkpoint


@shared_task(name="payments.checkpoint_balances", time_limit=600)
def checkpoint_balances() -> int:
    """Write balance checkpoints, so that reading a balance stays quick."""
    return checkpoint()
