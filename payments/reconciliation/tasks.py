"""Periodic work of this room. Safe to run twice and at once."""

import logging
import time
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from payments.reconciliation.run import begin_due, carry_on, claim_due

log: Final = logging.getLogger(__name__)

RUN_SECONDS: Final = 600.0
BATCH: Final = 100


@job("payments.begin_reconciliations", _("Begin reconciling days that are over"), time_limit=300)
def begin_reconciliations() -> int:
    """Begin the days that are over."""
    return begin_due(at=timezone.now())


@job("payments.go_on_reconciling", _("Fetch and match bills"), time_limit=3600)
def go_on_reconciling() -> int:
    """Work on every run that is due. A fault of one keeps no other waiting."""
    ends, count = time.monotonic() + RUN_SECONDS, 0
    while count < BATCH and time.monotonic() < ends:
        run = claim_due(at=timezone.now())
        if run is None:
            break
        count += 1
        try:
            carry_on(run, at=timezone.now())
        except Exception:
            log.exception("%s could not be worked on", run)
    return count
