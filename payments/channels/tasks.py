"""Periodic work of this room."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from payments.channels.expiry import watch_certificates


@job("payments.watch_certificates", _("Watch channels' certificates"), time_limit=60)
def watch_channel_certificates() -> int:
    """Tell of certificates that end soon."""
    return watch_certificates(at=timezone.now())
