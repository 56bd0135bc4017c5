"""Celery tasks of this storey."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.jobs.registry import job
from merchants.accounts import key_ends
from merchants.onboarding import reviews
from merchants.screening import rescreen
from merchants.support import digest, links
from merchants.terms import watch


@job("merchants.go_on_screening", _("Screen people and merchants anew"), time_limit=900)
def go_on_screening() -> int:
    """Screen everybody anew when lists change. Safe to run twice at once: each has a source."""
    return rescreen.go_on_screening(at=timezone.now())


@job("merchants.watch_terms", _("Watch papers and data that run out"), time_limit=900)
def watch_terms() -> int:
    """Write about papers that run out and data to be confirmed, and limit or stop their merchants.

    Safe to run at once.
    """
    now = timezone.now()
    return reviews.begin_missing_reviews(at=now) + watch.watch_terms(at=now)


@job("merchants.forget_ticket_links", _("Forget old links to tickets"), time_limit=120)
def forget_ticket_links() -> int:
    """Delete links to tickets that open nothing any more. Safe to run at once."""
    return links.forget_old_links(at=timezone.now())


@job("merchants.watch_key_ends", _("Watch API keys that end"), time_limit=300)
def watch_key_ends() -> int:
    """Write about API keys that end soon. Safe to run at once: each key is locked."""
    return key_ends.watch_key_ends(at=timezone.now())


@job("merchants.tell_of_tickets", _("Write to the staff about tickets"), time_limit=120)
def tell_of_tickets() -> int:
    """Write to the staff about tickets that wait. Safe to run at once: each takes other tickets."""
    return digest.tell_staff(at=timezone.now())
