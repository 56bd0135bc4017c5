"""The application in the portal: how far it is, its sections, its papers, and handing it in."""

from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.downloads import file_answer
from compliance.identity.models import User
from compliance.identity.signin import person_of
from compliance.protection.vault.files import FileClosed, Upload, find_file, open_file
from compliance.protection.vault.kinds import BYTES_MAX, FileRefused
from compliance.protection.vault.words import FILE_REFUSALS
from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.days import day_of
from merchants.errors import MerchantRefusal
from merchants.onboarding.agreement import CURRENT, agreement_text
from merchants.onboarding.applying import reopen
from merchants.onboarding.assisted import READ
from merchants.onboarding.drafting import add_document, remove_document, save_section
from merchants.onboarding.reading import DOCUMENTS, Standing, standing_of
from merchants.onboarding.recognising.choosing import Readiness, readiness
from merchants.onboarding.refusals import (
    AgreementChanged,
    ApplicationNotFound,
    CodeTaken,
    Incomplete,
    NotWritable,
    Overtaken,
)
from merchants.onboarding.sections import SECTIONS
from merchants.onboarding.submitting import latest_application, submit, withdraw
from merchants.onboarding.words import (
    DOCUMENTS as PAPERS,
)
from merchants.onboarding.words import (
    FAULTS,
    LEADS,
    REASONS,
    TITLES,
    WHICH,
    refusal_told,
)
from merchants.portal.application_forms import (
    reviewers_words,
    rows_of,
    section_faults,
    typed_in,
    version_in,
)
from merchants.portal.session import frame_of, portal_page

REASON_MAX: Final = 500


class PaperForm(forms.Form):
    """A file of one kind, with the day until which it is good where it has one."""

    kind = forms.ChoiceField(choices=list(PAPERS.items()), widget=forms.HiddenInput())
    file = forms.FileField(label=gettext_lazy("File"), max_length=255, allow_empty_file=True)
    valid_to = forms.DateField(label=gettext_lazy("Good until"), required=False)


@never_cache
@require_safe
@portal_page(APPLICATION_WRITE)
def overview(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """How far it is, and what comes next."""
    standing = _standing(access)
    steps = [
        {
            "name": name, "title": TITLES[name], "is_begun": part.is_begun,
            "is_done": part.is_done, "faults": len(part.faults),
            "is_rejected": bool(reviewers_words(standing, name)),
        }
        for name, part in standing.parts.items()
    ]  # fmt: skip
    steps.append({
        "name": DOCUMENTS, "title": TITLES[DOCUMENTS], "is_begun": bool(standing.documents),
        "is_done": not standing.document_faults, "faults": len(standing.document_faults),
        "is_rejected": any(one.file.public_id in standing.rejected for one in standing.documents),
    })  # fmt: skip
    done = sum(bool(step["is_done"]) for step in steps)
    context = {
        **frame_of(access),
        "application": standing.application,
        "is_writable": standing.is_writable,
        "steps": steps,
        "done": done,
        "next": next((step["name"] for step in steps if not step["is_done"]), ""),
        "reason_max": REASON_MAX,
    }
    return render(request, "portal/application/overview.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(APPLICATION_WRITE)
def section(request: HttpRequest, access: MerchantAccess, section: str) -> HttpResponse:
    """One section. It saves itself while somebody writes, and by its button without a script."""
    standing = _standing(access)
    if section not in standing.parts:
        raise Http404
    if request.method != "POST":
        return _section_page(request, access, standing, section)
    typed = typed_in(SECTIONS[section], request.POST)
    is_script = request.headers.get("Accept", "").startswith("application/json")
    try:
        version = save_section(
            access=access, by=_person(request), section=section, typed=typed,
            version=version_in(request.POST), at=timezone.now(),
        )  # fmt: skip
    except (NotWritable, ApplicationNotFound, Overtaken) as refusal:
        if is_script:
            return JsonResponse({"code": refusal.code, "told": refusal_told(refusal)}, status=409)
        messages.error(request, refusal_told(refusal))
        return redirect("merchants:application-section", section)
    if is_script:
        return JsonResponse(_saved(access, section, version))
    after = _standing(access)
    if "next" in request.POST and after.parts[section].is_done:
        return _to_next(after, section)
    if "next" not in request.POST:
        messages.success(request, _("Saved."))
    return _section_page(request, access, after, section, is_told=True)


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
    standing = _standing(access)
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
def look(request: HttpRequest, access: MerchantAccess, file: str) -> HttpResponse:
    """One's own paper as a download."""
    standing = _standing(access)
    if file not in {one.file.public_id for one in standing.documents}:
        raise Http404
    row = find_file(file, owner=("merchant", access.merchant))
    try:
        opened = open_file(
            row, reason="looked at by the applicant", actor=access.actor, at=timezone.now()
        )
    except FileClosed:
        messages.error(request, _("This file cannot be looked at: it waits for the virus scan."))
        return redirect("merchants:application-documents")
    return file_answer(opened)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(APPLICATION_WRITE)
def hand_in(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The agreement, what is still missing, and the button."""
    language = get_language() or "zh-hans"
    faults: Any = ()
    if request.method == "POST":
        if not request.POST.get("agreed"):
            messages.error(request, _("Tick the box when you have read the agreement."))
        else:
            try:
                submit(
                    access=access, by=_person(request), language=language,
                    agreement=request.POST.get("agreement", ""), at=timezone.now(),
                )  # fmt: skip
            except Incomplete as incomplete:
                faults = incomplete.faults
                messages.error(request, refusal_told(incomplete))
            except (NotWritable, AgreementChanged, CodeTaken) as refusal:
                messages.error(request, refusal_told(refusal))
            else:
                messages.success(request, _("Your application is with the reviewers."))
                return redirect("merchants:application")
    standing = _standing(access)
    context = {
        **frame_of(access),
        "application": standing.application,
        "is_writable": standing.is_writable,
        "faults": [
            {"section": one.section, "title": TITLES[one.section], "told": FAULTS[one.code]}
            for one in (faults or standing.faults)
        ],
        "agreement": agreement_text(CURRENT, language),
        "version": CURRENT,
    }
    return render(request, "portal/application/hand_in.html", context)


@require_POST
@portal_page(APPLICATION_WRITE)
def give_up(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Withdraw the application."""
    reason = request.POST.get("reason", "")[:REASON_MAX]
    try:
        withdraw(access=access, reason=reason, at=timezone.now())
    except MerchantRefusal as refusal:
        messages.error(request, refusal_told(refusal))
    else:
        messages.success(request, _("You withdrew the application."))
    return redirect("merchants:application")


@require_POST
@portal_page(APPLICATION_WRITE)
def begin(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Begin another application, when the last one is over."""
    try:
        reopen(access=access, at=timezone.now())
    except MerchantRefusal as refusal:
        messages.error(request, refusal_told(refusal))
    return redirect("merchants:application")


def _standing(access: MerchantAccess) -> Standing:
    """Of the last application. A merchant that never applied has none: 404."""
    application = latest_application(access)
    if application is None:
        raise Http404
    return standing_of(application, on=day_of(timezone.now()))


def _section_page(
    request: HttpRequest, access: MerchantAccess, standing: Standing, section: str, *,
    is_told: bool = False,
) -> HttpResponse:  # fmt: skip
    part = standing.parts[section]
    is_told = is_told or part.is_begun
    names = list(standing.parts)
    context = {
        **frame_of(access),
        "application": standing.application,
        "section": section,
        "title": TITLES[section],
        "lead": LEADS[section],
        "step": names.index(section) + 1,
        "steps": len(names) + 1,
        "rows": rows_of(part, standing, is_told=is_told),
        "is_list": part.section.is_list,
        "errors": section_faults(part) if is_told else [],
        "words": reviewers_words(standing, section),
        "version": part.version,
        "is_open": standing.is_open(section),
        "before": names[names.index(section) - 1] if section != names[0] else "",
    }
    return render(request, "portal/application/section.html", context)


def _saved(access: MerchantAccess, section: str, version: int) -> dict[str, Any]:
    """For the script: the version, and what is wrong beside which field."""
    standing = _standing(access)
    part = standing.parts[section]
    return {
        "version": version,
        "told": _("Saved."),
        "errors": {
            f"{fault.field}-{fault.row}": str(FAULTS[fault.code])
            for fault in part.faults
            if fault.field
        },
    }


def _to_next(standing: Standing, section: str) -> HttpResponse:
    names = list(standing.parts)
    place = names.index(section) + 1
    if place < len(names):
        return redirect("merchants:application-section", names[place])
    return redirect("merchants:application-documents")


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
            access=access, by=_person(request), kind=form.cleaned_data["kind"], upload=upload,
            valid_to=valid_to, at=timezone.now(),
        )  # fmt: skip
    except FileRefused as refusal:
        return str(FILE_REFUSALS[refusal.code])
    except MerchantRefusal as refusal:
        return refusal_told(refusal)
    return ""


def _first_error(form: PaperForm) -> str:
    return str(next(iter(form.errors.values()))[0])


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise Http404
    return person
