"""Periodic work of the books."""

from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from payments.ledger.balances import checkpoint


@job("payments.checkpoint_balances", _("Note the balances of accounts"), time_limit=600)
def checkpoint_balances() -> int:
    """Write balance checkpoints, so that reading a balance stays quick."""
    return checkpoint()
