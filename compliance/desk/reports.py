"""Reports on the desk: the shelf, one report with its steps, and what officers do with them."""

from collections.abc import Callable
from datetime import date
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.desk.views import officer_required
from compliance.identity.downloads import file_answer
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.numbers import is_number
from compliance.protection.errors import Tampered
from compliance.protection.vault.files import FileClosed, open_file
from compliance.reports.approving import KIND, submit_report
from compliance.reports.errors import ReportRefused
from compliance.reports.issue import publish_report, sign_report, void_report
from compliance.reports.models import Report
from compliance.reports.prepare import STEPS, prepare_report
from compliance.reports.states import PUBLIC, ReportState
from compliance.tasks import make_reports

SHOWN_MAX: Final = 50
REASON_MAX: Final = 500
DEEDS: Final = {
    "submit": ReportState.DRAFT, "sign": ReportState.APPROVED, "publish": ReportState.SIGNED,
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@officer_required
def reports(request: HttpRequest) -> HttpResponse:
    """The reports, newest first, and the form that asks for one."""
    person, now = _person(request), timezone.now()
    may_prepare = may(person, Ability.REPORTS_PREPARE)
    if request.method == "POST":
        if not may_prepare:
            raise PermissionDenied
        try:
            row = prepare_report(
                first_day=_day(request, "first"), last_day=_day(request, "last"),
                language=request.POST.get("language", ""), by=person,
                reason=request.POST.get("reason", ""), actor=actor_of(request), at=now,
            )  # fmt: skip
        except ReportRefused as refusal:
            messages.error(request, refusal.told)
            return redirect("desk:reports")
        # The report is due whether or not the broker takes the wake.
        transaction.on_commit(make_reports.delay, robust=True)
        return redirect("desk:report", row.public_id)
    rows = Report.objects.order_by("-pk")[:SHOWN_MAX]
    context = {"reports": rows, "may_prepare": may_prepare, "reason_max": REASON_MAX}
    return render(request, "desk/reports.html", context)


@require_safe
@officer_required
def report(request: HttpRequest, number: str) -> HttpResponse:
    """One report: how far it is, its fingerprints, and what can be done next."""
    row = _row(number)
    person = _person(request)
    waiting = Approval.objects.filter(kind=KIND, subject_id=number, state="pending").first()
    deed = next((deed for deed, state in DEEDS.items() if state == row.state), "")
    if row.state == ReportState.IN_REVIEW and waiting is None:
        deed = "submit"
    return render(
        request,
        "desk/report.html",
        {
            "report": row, "waiting": waiting, "steps": STEPS, "reason_max": REASON_MAX,
            "deed": deed if may(person, Ability.REPORTS_PREPARE) else "",
            "may_void": may(person, Ability.REPORTS_PREPARE)
            and row.state not in {*PUBLIC, ReportState.VOID},
            "has_file": bool(row.draft_id), "is_public": row.state in PUBLIC,
        },
    )  # fmt: skip


@require_POST
@officer_required
def act(request: HttpRequest, number: str, deed: str) -> HttpResponse:
    """Hand in, sign, publish or give up; publishing and signing ask for the second factor."""
    row, person, actor, now = _row(number), _person(request), actor_of(request), timezone.now()
    if not may(person, Ability.REPORTS_PREPARE):
        raise PermissionDenied
    back, reason = reverse("desk:report", args=[number]), request.POST.get("reason", "")
    if deed in {"sign", "publish"} and (
        answer := requires_step_up(request, _wish(row, deed), back=back)
    ):
        return answer
    verbs: dict[str, Callable[[], object]] = {
        "submit": lambda: submit_report(
            number=number, reason=reason, by=person, actor=actor, at=now
        ),
        "sign": lambda: sign_report(number=number, by=person, actor=actor, at=now),
        "publish": lambda: publish_report(number=number, by=person, actor=actor, at=now),
        "void": lambda: void_report(number=number, reason=reason, by=person, actor=actor, at=now),
    }
    if deed not in verbs:
        raise Http404
    try:
        verbs[deed]()
    except (ReportRefused, ApprovalRefused) as refusal:
        messages.error(request, refusal.told)
    else:
        messages.success(request, _("Done."))
    return redirect(back)


@require_POST
@officer_required
def download(request: HttpRequest, number: str) -> HttpResponse:
    """The signed file, or the draft before there is one. Who took it and why is recorded."""
    row = _row(number)
    file = row.signed or row.draft
    reason = request.POST.get("reason", "").strip()[:REASON_MAX]
    if file is None:
        raise Http404
    if not reason:
        messages.error(request, _("Write down why you look at the file."))
        return redirect("desk:report", number)
    try:
        opened = open_file(file, reason=reason, actor=actor_of(request), at=timezone.now())
    except (FileClosed, Tampered):
        messages.error(request, _("The stored file was changed. Do not rely on it."))
        return redirect("desk:report", number)
    return file_answer(opened)


def _wish(row: Report, deed: str) -> Deed:
    title = _("Sign a report") if deed == "sign" else _("Publish a report")
    return Deed(
        purpose=f"report.{deed}", title=title,
        facts=(
            Fact("report", _("Report number"), row.public_id),
            Fact("period", _("Period"), f"{row.first_day} – {row.last_day}"),
            Fact("data", _("SHA-256 of the data"), row.dataset_sha256),
        ),
    )  # fmt: skip


def _row(number: str) -> Report:
    rows = Report.objects.select_related("draft", "signed", "preparer", "approver", "replaces")
    row = rows.filter(public_id=number).first() if is_number(number, "rpt_") else None
    if row is None:
        raise Http404
    return row


def _day(request: HttpRequest, name: str) -> date:
    try:
        return date.fromisoformat(request.POST.get(name, ""))
    except ValueError:
        raise ReportRefused("period_wrong") from None


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person
