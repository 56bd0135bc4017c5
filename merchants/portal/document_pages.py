"""The papers of an application in the portal: adding, looking at, taking back."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.downloads import file_answer
from compliance.protection.vault.files import FileClosed, OpenedFile, Upload, find_file, open_file
from compliance.protection.vault.kinds import BYTES_MAX, FileRefused
from compliance.protection.vault.words import FILE_REFUSALS
from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.errors import MerchantRefusal
from merchants.onboarding.assisted import READ
from merchants.onboarding.drafting import add_document, remove_document
from merchants.onboarding.reading import Standing
from merchants.onboarding.recognising.choosing import Readiness, readiness
from merchants.onboarding.refusals import ApplicationNotFound, NotWritable
from merchants.onboarding.watermark import IMAGE, marked
from merchants.onboarding.words import DOCUMENTS as PAPERS
from merchants.onboarding.words import FAULTS, REASONS, WHICH, refusal_told
from merchants.portal.application_pages import application_of, person_or_404
from merchants.portal.session import frame_of, portal_page


class PaperForm(forms.Form):
    """A file of one kind, with the day until which it is good where it has one."""

    kind = forms.ChoiceField(choices=list(PAPERS.items()), widget=forms.HiddenInput())
    file = forms.FileField(label=gettext_lazy("File"), max_length=255, allow_empty_file=True)
    valid_to = forms.DateField(label=gettext_lazy("Good until"), required=False)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(APPLICATION_WRITE)
def documents(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The papers: which are wanted, which are there, and another one."""
    form, error, kind = None, "", ""
    if request.method == "POST":
        form = PaperForm(request.POST, request.FILES)
        kind = request.POST.get("kind", "")
        error = _add(request, access, form) if form.is_valid() else _first_error(form)
        if not error:
            messages.success(request, _("The file was taken in."))
            return redirect("merchants:application-documents")
    standing = application_of(access)
    context = {
        **frame_of(access),
        "application": standing.application,
        "papers": _papers(standing, kind, error),
        "is_writable": standing.is_writable,
    }
    status = 422 if error else 200
    return render(request, "portal/application/documents.html", context, status=status)


@require_POST
@portal_page(APPLICATION_WRITE)
def remove(request: HttpRequest, access: MerchantAccess, file: str) -> HttpResponse:
    """Take a paper back."""
    try:
        remove_document(access=access, file=file, at=timezone.now())
    except ApplicationNotFound:
        raise Http404 from None
    except NotWritable as refusal:
        messages.error(request, refusal_told(refusal))
    else:
        messages.success(request, _("The file was taken back."))
    return redirect("merchants:application-documents")


@require_POST
@portal_page(APPLICATION_WRITE)
def download(request: HttpRequest, access: MerchantAccess, file: str) -> HttpResponse:
    """One's own paper as a download."""
    try:
        return file_answer(_opened(access, file))
    except FileClosed:
        messages.error(request, _("This file cannot be looked at: it waits for the virus scan."))
        return redirect("merchants:application-documents")


@never_cache
@require_safe
@portal_page(APPLICATION_WRITE)
def look(request: HttpRequest, access: MerchantAccess, file: str) -> HttpResponse:
    """The page with the picture of one's own paper: is it the right one, can it be read?"""
    standing = application_of(access)
    found = next((one for one in standing.documents if one.file.public_id == file), None)
    if found is None or not found.file.media_type.startswith(IMAGE):
        raise Http404
    context = {
        **frame_of(access), "document": found, "title": PAPERS[found.kind],
        "takes": standing.takes(found.kind),
    }  # fmt: skip
    return render(request, "portal/application/paper.html", context)


@never_cache
@require_safe
@portal_page(APPLICATION_WRITE)
def picture(request: HttpRequest, access: MerchantAccess, file: str) -> HttpResponse:
    """The picture on that page, with who looks at it written over it. Each look is recorded."""
    try:
        opened = _opened(access, file)
    except FileClosed:
        raise Http404 from None
    if not opened.media_type.startswith(IMAGE):
        raise Http404
    now = timezone.localtime(timezone.now())
    answer = file_answer(marked(opened, looker=access.actor.label, at=now))
    answer["Content-Disposition"] = "inline"
    return answer


def _opened(access: MerchantAccess, file: str) -> OpenedFile:
    """Raises FileClosed, or Http404 for what is no paper of this application."""
    if file not in {one.file.public_id for one in application_of(access).documents}:
        raise Http404
    row = find_file(file, owner=("merchant", access.merchant))
    return open_file(
        row, reason="looked at by the applicant", actor=access.actor, at=timezone.now()
    )


def _papers(standing: Standing, kind: str, error: str) -> list[dict[str, Any]]:
    """Each kind of paper with its files and what is wrong."""
    faults = {fault.field: FAULTS[fault.code] for fault in standing.document_faults}
    can_read = readiness() == Readiness.READY
    return [
        {
            "kind": need.kind, "title": PAPERS[need.kind],
            "which": WHICH.get(f"{need.kind}.{need.which}", ""),
            "is_required": need.is_required, "has_term": need.has_term,
            "takes": standing.takes(need.kind), "fault": faults.get(need.kind, ""),
            "error": error if need.kind == kind else "",
            "is_read": (
                need.kind in READ and can_read and standing.is_open(READ[need.kind][0])
            ),
            "files": [
                {"row": one, "verdict": _verdict(standing, one.file.public_id)}
                for one in standing.documents
                if one.kind == need.kind
            ],
        }
        for need in standing.needs
    ]  # fmt: skip


def _verdict(standing: Standing, file: str) -> dict[str, Any]:
    verdict = standing.verdicts.get(file)
    if verdict is None or verdict.is_right:
        return {}
    return {"reason": REASONS[verdict.reason], "told": verdict.told}


def _add(request: HttpRequest, access: MerchantAccess, form: PaperForm) -> str:
    """Take the file in; why not, in words."""
    sent = form.cleaned_data["file"]
    # Not more of it than is taken at all, and a byte, by which too much is noticed.
    upload = Upload(sent.name, sent.content_type or "", sent.read(BYTES_MAX + 1))
    valid_to: date | None = form.cleaned_data["valid_to"]
    try:
        add_document(
            access=access, by=person_or_404(request), kind=form.cleaned_data["kind"], upload=upload,
            valid_to=valid_to, at=timezone.now(),
        )  # fmt: skip
    except FileRefused as refusal:
        return str(FILE_REFUSALS[refusal.code])
    except MerchantRefusal as refusal:
        return refusal_told(refusal)
    return ""


def _first_error(form: PaperForm) -> str:
    return str(next(iter(form.errors.values()))[0])
