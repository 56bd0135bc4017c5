"""Asking for a report, and making it: data, then PDF, each step durable before the next."""

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Q

from compliance.audit.actor import Actor
from compliance.audit.anchor import Notes
from compliance.audit.trail import record
from compliance.database import prepared
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.numbers import new_number
from compliance.protection.vault.files import Upload, keep_made
from compliance.protection.vault.models import StoredFile
from compliance.reports.build import SHANGHAI, Wanted, collect, snapshot
from compliance.reports.errors import ReportRefused
from compliance.reports.models import Report
from compliance.reports.render import SOFTWARE, render
from compliance.reports.states import UNDER_WAY, ReportState
from compliance.reports.values import canonical, digest_of, read_dataset
from compliance.steps import step

LANGUAGES: Final = ("zh-hans", "en")
STEPS: Final = 2
"""The data is collected; the PDF is kept."""
LEASE: Final = timedelta(minutes=10)
TRIES_MAX: Final = 5
REASON_MAX: Final = 2000
MAKER: Final = Actor("system", "", "report maker")
PURPOSE: Final = "report"


@transaction.atomic
def prepare_report(
    *, first_day: date, last_day: date, language: str, reason: str = "", by: User | None,
    actor: Actor, at: datetime,
) -> Report:  # fmt: skip
    """Ask for the report on some days, both included. Asked again before it ends, it is the same
    report. Where one is published, the new one is its next version and needs a reason.

    `by` is None for the platform's own command. Raises ReportRefused: ability_missing,
    period_wrong, language_unknown, reason_missing.
    """
    if by is not None and not may(by, Ability.REPORTS_PREPARE):
        raise ReportRefused("ability_missing")
    if not first_day <= last_day < at.astimezone(SHANGHAI).date():
        raise ReportRefused("period_wrong")
    if language not in LANGUAGES:
        raise ReportRefused("language_unknown")
    # One at a time: versions are counted. The lock goes with the transaction.
    prepared("SELECT pg_advisory_xact_lock(hashtext('compliance.reports'))::text")
    same = Report.objects.filter(first_day=first_day, last_day=last_day, language=language)
    if waiting := same.filter(state__in=UNDER_WAY).first():
        return waiting
    published = same.filter(state=ReportState.PUBLISHED).first()
    if published is not None and not reason.strip():
        raise ReportRefused("reason_missing")
    last = same.aggregate(last=Max("version"))["last"] or 0
    row = Report.objects.create(
        public_id=new_number("rpt_", at=at), first_day=first_day, last_day=last_day,
        language=language, version=last + 1, replaces=published,
        reason=reason.strip()[:REASON_MAX], preparer=by, created_at=at,
    )  # fmt: skip
    _tell("report.prepared", row, actor=actor, at=at, reason=row.reason)
    return row


def claim_due(*, at: datetime) -> list[int]:
    """Take one report that waits, or whose worker died; keys of rows, for `make`."""
    with transaction.atomic():
        due = Report.objects.filter(state=ReportState.QUEUED).filter(
            Q(lease_until__isnull=True) | Q(lease_until__lte=at)
        )
        row = due.select_for_update(skip_locked=True).order_by("pk").first()
        if row is None:
            return []
        if row.tries >= TRIES_MAX:
            row.move(ReportState.FAILED, ended_at=at)
            _tell("report.failed", row, actor=MAKER, at=at)
            return []
        row.hold(until=at + LEASE, tries=row.tries + 1)
        return [row.pk]


def make(pk: int, *, at: datetime) -> bool:
    """Do what is left of making a report; whether it was finished here. Safe to repeat after a
    crash: data that was collected stays, so that the bytes do.
    """
    row = Report.objects.select_related("preparer", "replaces").get(pk=pk)
    if row.state != ReportState.QUEUED:
        return False
    if not row.dataset:
        _keep_data(row, at=at)
        step("report.collected")
        row.refresh_from_db()
    content = render(read_dataset(row.dataset))
    step("report.rendered")
    name = f"{row.public_id}-draft.pdf"
    file = keep_made(
        Upload(name, "application/pdf", content), purpose=PURPOSE,
        owner=("report", row.public_id), actor=MAKER, at=at,
    )  # fmt: skip
    step("report.kept")
    return _finish(row.pk, file, at=at)


def _keep_data(row: Report, *, at: datetime) -> None:
    wanted = Wanted(
        number=row.public_id, version=row.version, first_day=row.first_day, last_day=row.last_day,
        language=row.language, prepared_by=row.preparer.username if row.preparer else "paysite",
        replaces=row.replaces.public_id if row.replaces else "", reason=row.reason,
    )  # fmt: skip
    noted = list(Notes())
    with snapshot():
        dataset = collect(wanted, noted=noted, at=at)
    text = canonical(dataset)
    with transaction.atomic():
        locked = Report.objects.select_for_update().get(pk=row.pk)
        if locked.state != ReportState.QUEUED or locked.dataset:
            return  # A worker that was thought dead was only slow.
        locked.hold(
            until=at + LEASE, step=1, dataset=text, dataset_sha256=digest_of(text),
            software=SOFTWARE, is_clean=dataset.integrity.is_whole,
        )  # fmt: skip


@transaction.atomic
def _finish(pk: int, file: StoredFile, *, at: datetime) -> bool:
    row = Report.objects.select_for_update().get(pk=pk)
    if row.state != ReportState.QUEUED:
        return False
    row.move(ReportState.DRAFT, draft=file, made_at=at, step=STEPS, lease_until=None)
    _tell("report.made", row, actor=MAKER, at=at)
    return True


def _tell(action: str, row: Report, *, actor: Actor, at: datetime, reason: str = "") -> None:
    facts = {
        "from": str(row.first_day), "to": str(row.last_day), "language": row.language,
        "version": row.version,
        **({"data": row.dataset_sha256, "is_clean": row.is_clean} if row.dataset_sha256 else {}),
    }  # fmt: skip
    record(actor, action, subject=("report", row.public_id), facts=facts, reason=reason, at=at)
