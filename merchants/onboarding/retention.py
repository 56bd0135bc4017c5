"""How long what applicants typed and handed in is kept, and how it is destroyed."""

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.protection.vault.files import FileClosed, erase_file
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import HELD
from compliance.retention.classes import RetentionClass, register_class
from merchants.onboarding.models import Application
from merchants.onboarding.states import ApplicationState
from merchants.terms.models import Renewal

UNFINISHED: Final = timedelta(days=90)
TEN_YEARS: Final = timedelta(days=10 * 366)


def _unfinished(before: datetime) -> Collection[str]:
    """Never handed in, and nobody has written in them since."""
    rows = (
        Application.objects.filter(
            state__in=[ApplicationState.DRAFT, ApplicationState.WITHDRAWN], round=0,
            created_at__lt=before, drafts__isnull=False,
        )
        .annotate(last=Max("drafts__saved_at"))
        .filter(last__lt=before)
    )  # fmt: skip
    return [row.public_id for row in rows if not _is_empty(row)]


def _rejected(before: datetime) -> Collection[str]:
    rows = Application.objects.filter(
        state__in=[ApplicationState.REJECTED, ApplicationState.WITHDRAWN], round__gt=0,
        ended_at__lt=before,
    )  # fmt: skip
    return [row.public_id for row in rows if not _is_empty(row)]


def _of_closed(before: datetime) -> Collection[str]:
    """As long as the business goes on, they are evidence."""
    rows = Application.objects.filter(
        state=ApplicationState.APPROVED, merchant__closed_at__lt=before
    )
    return [row.public_id for row in rows if not _is_empty(row)]


def _is_empty(application: Application) -> bool:
    """Whether everything typed is gone already."""
    return all(draft.typed == [] for draft in application.drafts.all())


def erase_applications(things: Sequence[str], actor: Actor, at: datetime, reason: str) -> None:
    """Destroy what was typed and the papers; the rows stay. Safe to repeat."""
    for application in Application.objects.filter(public_id__in=things):
        for row in _files_of(application):
            with suppress(FileClosed):  # Somebody was faster.
                erase_file(row, actor=actor, at=at, reason=reason)
        _forget_typed(application, actor, at, reason)


def _files_of(application: Application) -> QuerySet[StoredFile]:
    """The papers of the applicant, those of reviewers, and what a merchant handed in since."""
    return StoredFile.objects.filter(
        Q(pk__in=application.documents.values("file"))
        | Q(pk__in=application.diligence.filter(file__isnull=False).values("file"))
        | Q(pk__in=_renewals_of(application).filter(file__isnull=False).values("file")),
        state__in=HELD,
    )


def _renewals_of(application: Application) -> QuerySet[Renewal]:
    """A merchant was taken on with one application: what it said since goes with that."""
    if application.state != ApplicationState.APPROVED:
        return Renewal.objects.none()
    return Renewal.objects.filter(term__merchant=application.merchant_id)


@transaction.atomic
def _forget_typed(application: Application, actor: Actor, at: datetime, reason: str) -> None:
    locked = Application.objects.select_for_update().get(pk=application.pk)
    drafts = list(locked.drafts.all())
    if all(draft.typed == [] for draft in drafts):
        return
    for draft in drafts:
        draft.typed_sealed, draft.version = json.dumps([]), draft.version + 1
        draft.save(update_fields=["typed_sealed", "version"])
    for measure in locked.diligence.all():
        measure.note_sealed = ""
        measure.save(update_fields=["note_sealed"])
    for renewal in _renewals_of(locked).filter(statement_sealed__isnull=False):
        renewal.statement_sealed = json.dumps({})
        renewal.save(update_fields=["statement_sealed"])
    if locked.state == ApplicationState.DRAFT:
        locked.move(ApplicationState.WITHDRAWN, at=at)
    record(
        actor, "application.erased", subject=("application", locked.public_id), reason=reason,
        facts={"sections": sorted(draft.section for draft in drafts)}, at=at,
    )  # fmt: skip


def register_classes() -> None:
    """Called once, when the application is ready."""
    action = _("What was typed and the papers are destroyed; the row stays")
    register_class(RetentionClass(
        name="unfinished_applications", label=_("Applications that were never handed in"),
        term=UNFINISHED, begins=_("written in last"), action=action,
        basis=_("Minimum necessary (Personal Information Protection Law, article 19)"),
        due=_unfinished, erase=erase_applications,
    ))  # fmt: skip
    register_class(RetentionClass(
        name="rejected_applications", label=_("Applications that were rejected or withdrawn"),
        term=TEN_YEARS, begins=_("over"), action=action,
        basis=_("Anti-Money-Laundering Law, records: ten years"), due=_rejected,
        erase=erase_applications,
    ))  # fmt: skip
    register_class(RetentionClass(
        name="merchant_papers", label=_("Papers of merchants that were taken on"), term=TEN_YEARS,
        basis=_("Anti-Money-Laundering Law: ten years after the end of the business"),
        begins=_("the business ended"), action=action, due=_of_closed, erase=erase_applications,
    ))  # fmt: skip
