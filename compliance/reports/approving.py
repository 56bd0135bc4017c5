"""A report is agreed to by another person than the one who had it prepared."""

import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy

from compliance.approvals.models import Approval
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability
from compliance.reports.errors import ReportRefused, report_told
from compliance.reports.models import Report
from compliance.reports.states import ReportState
from compliance.reports.values import digest_of

KIND: Final = "report.approve"


@transaction.atomic
def submit_report(*, number: str, reason: str, by: User, actor: Actor, at: datetime) -> Approval:
    """Ask that somebody else agrees to a draft. What they see is what is signed: its data and file
    stand in the request. Raises ReportRefused, or ApprovalRefused: ability_missing,
    reason_missing, pending_already.
    """
    row = locked_report(number)
    require_same_data(row)
    before = row.state
    row.move(ReportState.IN_REVIEW)
    approval = request_approval(
        kind=KIND, subject=("report", row.public_id), reason=reason, maker=by, actor=actor, at=at,
        payload={
            "from": str(row.first_day), "to": str(row.last_day), "version": row.version,
            "language": row.language, "data": row.dataset_sha256, "is_clean": row.is_clean,
            "file": bytes(row.draft.sha256).hex() if row.draft else "",
        },
    )  # fmt: skip
    record(
        actor, "report.submitted", subject=("report", row.public_id),
        facts={"data": row.dataset_sha256, "request": approval.public_id},
        before={"state": str(before)}, after={"state": str(row.state)}, reason=reason, at=at,
    )  # fmt: skip
    return approval


def locked_report(number: str) -> Report:
    """The report under its lock. Raises ReportRefused: unknown."""
    row = Report.objects.select_for_update(of=("self",)).filter(public_id=number).first()
    if row is None:
        raise ReportRefused("unknown")
    return row


def require_same_data(row: Report) -> None:
    """Raises ReportRefused when the stored data is not what its fingerprint says."""
    if not hmac.compare_digest(digest_of(row.dataset), row.dataset_sha256):
        raise ReportRefused("data_changed")


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    """How the report stands: other data or another file make the request stale."""
    row = Report.objects.select_related("draft").get(public_id=subject[1])
    return {
        "state": str(row.state), "stored_data": digest_of(row.dataset),
        "stored_file": bytes(row.draft.sha256).hex() if row.draft else "",
    }  # fmt: skip


def _approve(order: Order) -> None:
    row = locked_report(order.subject[1])
    require_same_data(row)
    row.move(ReportState.APPROVED, approver_id=int(order.actor.id), approved_at=order.at)
    record(
        order.actor, "report.approved", subject=("report", row.public_id),
        facts={"data": row.dataset_sha256, "request": order.number},
        before={"state": str(ReportState.IN_REVIEW)}, after={"state": str(row.state)}, at=order.at,
    )  # fmt: skip


def _preparer(payload: Facts) -> Collection[str]:
    """Whoever had it prepared does not agree to it, even when a third person handed it in."""
    row = Report.objects.select_related("preparer").filter(
        first_day=payload["from"], last_day=payload["to"], language=payload["language"],
        version=payload["version"],
    ).first()  # fmt: skip
    return [row.preparer.person_ref] if row and row.preparer else []


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=KIND, label=gettext_lazy("Approve a compliance report"),
            maker=Ability.REPORTS_PREPARE, checker=Ability.REPORTS_APPROVE, look=_look,
            execute=_approve, concerns=_preparer, refusals=(ReportRefused,), explain=report_told,
            page=lambda number: reverse("desk:report", args=[number]),
            words={
                "from": gettext_lazy("first day"), "to": gettext_lazy("last day"),
                "language": gettext_lazy("language"), "version": gettext_lazy("version"),
                "is_clean": gettext_lazy("says that the audit trail is whole"),
                "data": gettext_lazy("fingerprint of the data"),
                "file": gettext_lazy("fingerprint of the draft"),
                "state": gettext_lazy("state"), "stored_data": "", "stored_file": "",
            },
            values={"state": dict(ReportState.choices)},
        )
    )  # fmt: skip
