"""Periodic work of this room: safe to run twice and at once."""

import logging
import time
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from payments.enrolment.pursuing import claim_due, pursue

log: Final = logging.getLogger(__name__)

BATCH: Final = 50
RUN_SECONDS: Final = 45.0
"""A silent gateway keeps a worker no longer than this and one enrolment more."""


@job("payments.pursue_enrolments", _("Send enrolments and ask about them"), time_limit=300)
def pursue_enrolments() -> int:
    """Send enrolments that were handed in, and ask about those under way; how many."""
    ends, count = time.monotonic() + RUN_SECONDS, 0
    while count < BATCH and time.monotonic() < ends:
        # Claimed one by one: a lease must not run out while another is being sent.
        claimed = claim_due(at=timezone.now(), limit=1)
        if not claimed:
            break
        count += 1
        try:
            pursue(claimed[0], at=timezone.now())
        except Exception:
            log.exception("enrolment %s could not be worked on", claimed[0].public_id)
    return count
