"""After the agreement: signing, publishing, giving up."""

import hashlib
import hmac
from datetime import datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.anchor import Notes
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.protection.errors import Tampered
from compliance.protection.vault.files import FileClosed, Upload, keep_made, read_made
from compliance.protection.vault.models import StoredFile
from compliance.reports.approving import locked_report, require_same_data
from compliance.reports.errors import ReportRefused
from compliance.reports.models import Report
from compliance.reports.prepare import PURPOSE
from compliance.reports.signing import is_intact, sign
from compliance.reports.states import ReportState
from compliance.reports.trail import judge_trail


def sign_report(*, number: str, by: User | None, actor: Actor, at: datetime) -> Report:
    """Sign the draft that was agreed to. `by` is None for the platform's own command.

    Raises ReportRefused: ability_missing, unknown, state_wrong, data_changed, no_signer.
    """
    _require_ability(by)
    row = find_report(number)
    if row.state != ReportState.APPROVED or row.draft is None:
        raise ReportRefused("state_wrong")
    require_same_data(row)
    signed = sign(_read(row.draft), number=row.public_id, at=at)
    file = keep_made(
        Upload(f"{row.public_id}.pdf", "application/pdf", signed.content), purpose=PURPOSE,
        owner=("report", row.public_id), actor=actor, at=at,
    )  # fmt: skip
    with transaction.atomic():
        row = locked_report(number)
        row.move(
            ReportState.SIGNED, signed=file, signed_at=at, certificate=signed.certificate,
            file_sha256=hashlib.sha256(signed.content).hexdigest(),
        )  # fmt: skip
        _tell("report.signed", row, actor=actor, at=at)
    return row


def publish_report(*, number: str, by: User | None, actor: Actor, at: datetime) -> Report:
    """Make a signed report known on its public page. The one that it replaces is superseded.

    The file's signature and the whole audit trail are checked once more: a report that says that
    the trail is whole is not published over a broken one. Raises ReportRefused: ability_missing,
    unknown, state_wrong, data_changed, signature_bad, chain_broken.
    """
    _require_ability(by)
    row = find_report(number)
    if row.state != ReportState.SIGNED or row.signed is None:
        raise ReportRefused("state_wrong")
    require_same_data(row)
    content = _read(row.signed)
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), row.file_sha256):
        raise ReportRefused("data_changed")
    if not is_intact(content):
        raise ReportRefused("signature_bad")
    with transaction.atomic():
        row = locked_report(number)
        if row.is_clean and judge_trail(noted=Notes(), at=at).broken is not None:
            raise ReportRefused("chain_broken")
        _supersede(row, actor=actor, at=at)
        row.move(ReportState.PUBLISHED, published_at=at)
        _tell("report.published", row, actor=actor, at=at)
    return row


@transaction.atomic
def void_report(*, number: str, reason: str, by: User, actor: Actor, at: datetime) -> Report:
    """Give up a report that is not published. Raises ReportRefused: ability_missing, unknown,
    reason_missing, state_wrong.
    """
    _require_ability(by)
    if not reason.strip():
        raise ReportRefused("reason_missing")
    row = locked_report(number)
    before = row.state
    row.move(ReportState.VOID, ended_at=at, lease_until=None)
    record(
        actor, "report.voided", subject=("report", row.public_id), reason=reason.strip(),
        before={"state": str(before)}, after={"state": str(row.state)}, at=at,
    )  # fmt: skip
    return row


def find_report(number: str) -> Report:
    """The report with its files. Raises ReportRefused: unknown."""
    rows = Report.objects.select_related("draft", "signed")
    row = rows.filter(public_id=number).first()
    if row is None:
        raise ReportRefused("unknown")
    return row


def _supersede(row: Report, *, actor: Actor, at: datetime) -> None:
    older = Report.objects.select_for_update().filter(
        first_day=row.first_day, last_day=row.last_day, language=row.language,
        state=ReportState.PUBLISHED,
    )  # fmt: skip
    for one in older:
        one.move(ReportState.SUPERSEDED, ended_at=at)
        record(
            actor, "report.superseded", subject=("report", one.public_id),
            facts={"by": row.public_id}, reason=row.reason, at=at,
        )  # fmt: skip


def _require_ability(by: User | None) -> None:
    if by is not None and not may(by, Ability.REPORTS_PREPARE):
        raise ReportRefused("ability_missing")


def _read(file: StoredFile) -> bytes:
    try:
        return read_made(file)
    except (Tampered, FileClosed, OSError):
        raise ReportRefused("data_changed") from None


def _tell(action: str, row: Report, *, actor: Actor, at: datetime) -> None:
    facts = {"data": row.dataset_sha256, "file": row.file_sha256, "certificate": row.certificate}
    record(
        actor, action, subject=("report", row.public_id), facts=facts,
        after={"state": str(row.state)}, at=at,
    )  # fmt: skip
