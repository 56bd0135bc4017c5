"""The classes of this storey."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from compliance.audit.actor import Actor
from compliance.protection.vault.files import FileClosed, erase_file
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import HELD
from compliance.retention.classes import RetentionClass, register_class

YEAR = timedelta(days=366)
"""Rather a day too long than too short."""


def _evidence(before: datetime) -> Collection[str]:
    rows = StoredFile.objects.filter(purpose="evidence", state__in=HELD, created_at__lt=before)
    return list(rows.values_list("public_id", flat=True))


def _erase(things: Sequence[str], actor: Actor, at: datetime, reason: str) -> None:
    for row in StoredFile.objects.filter(public_id__in=things, state__in=HELD):
        with suppress(FileClosed):  # Somebody was faster.
            erase_file(row, actor=actor, at=at, reason=reason)


def register_classes() -> None:
    """Called once, when the application is ready."""
    by_itself = _("A task deletes it")
    register_class(RetentionClass(
        name="evidence", label=_("Evidence on the desk"), term=10 * YEAR,
        basis=_("Anti-Money-Laundering Law, records: ten years"), begins=_("handed in"),
        action=_("Key and content are destroyed; the row stays"), due=_evidence, erase=_erase,
    ))  # fmt: skip
    register_class(RetentionClass(
        name="audit", label=_("Audit trail"), term=None,
        basis=_("Cybersecurity Law: six months and more; proof of all the rest"),
        begins=_("written"), action=_("Kept"),
    ))  # fmt: skip
    register_class(RetentionClass(
        name="sessions", label=_("Sessions of people"), term=timedelta(days=30),
        basis=_("Minimum necessary (Personal Information Protection Law, article 19)"),
        begins=_("signed in"), action=by_itself,
    ))  # fmt: skip
    register_class(RetentionClass(
        name="letters", label=_("Letters and their links"), term=timedelta(days=30),
        basis=_("Minimum necessary (Personal Information Protection Law, article 19)"),
        begins=_("written"), action=by_itself,
    ))  # fmt: skip
    register_class(RetentionClass(
        name="notices", label=_("Notices in the portal"), term=timedelta(days=365),
        basis=_("Minimum necessary (Personal Information Protection Law, article 19)"),
        begins=_("written"), action=by_itself,
    ))  # fmt: skip
    register_class(RetentionClass(
        name="email_changes", label=_("Changes of one's own e-mail address"),
        term=timedelta(days=30), begins=_("asked for"), action=by_itself,
        basis=_("Minimum necessary (Personal Information Protection Law, article 19)"),
    ))  # fmt: skip
    register_class(RetentionClass(
        name="step_ups", label=_("Deeds that wait for a second factor"),
        term=timedelta(minutes=10), begins=_("asked for"), action=by_itself,
        basis=_("Minimum necessary (Personal Information Protection Law, article 19)"),
    ))  # fmt: skip
