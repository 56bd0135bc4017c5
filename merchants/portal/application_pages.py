"""The application in the portal: how far it is, its sections, its papers, and handing it in."""

from dataclasses import replace
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.models import User
from compliance.identity.signin import person_of
from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.days import day_of
from merchants.errors import MerchantRefusal
from merchants.onboarding.agreement import CURRENT, agreement_text
from merchants.onboarding.applying import reopen
from merchants.onboarding.drafting import save_section
from merchants.onboarding.reading import DOCUMENTS, Part, Standing, standing_of
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
    FAULTS,
    LEADS,
    TITLES,
    refusal_told,
)
from merchants.portal.application_forms import (
    differing,
    reviewers_words,
    rows_of,
    section_faults,
    typed_in,
    version_in,
)
from merchants.portal.session import frame_of, portal_page

REASON_MAX: Final = 500


@never_cache
@require_safe
@portal_page(APPLICATION_WRITE)
def overview(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """How far it is, and what comes next."""
    standing = application_of(access)
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
    standing = application_of(access)
    if section not in standing.parts:
        raise Http404
    if request.method != "POST":
        return _section_page(request, access, standing, section)
    typed = typed_in(SECTIONS[section], request.POST)
    try:
        version = save_section(
            access=access, by=person_or_404(request), section=section, typed=typed,
            version=version_in(request.POST), at=timezone.now(),
        )  # fmt: skip
    except (NotWritable, ApplicationNotFound, Overtaken) as refusal:
        return _not_saved(request, access, section, typed, refusal)
    if _is_script(request):
        return JsonResponse(_saved(access, section, version))
    after = application_of(access)
    if "next" in request.POST and after.parts[section].is_done:
        return _to_next(after, section)
    if "next" not in request.POST:
        messages.success(request, _("Saved."))
    return _section_page(request, access, after, section, is_told=True)


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
                    access=access, by=person_or_404(request), language=language,
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
    standing = application_of(access)
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


def application_of(access: MerchantAccess) -> Standing:
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
    context = {
        **_section_frame(access, standing, part),
        "rows": rows_of(part, standing, is_told=is_told),
        "errors": section_faults(part) if is_told else [],
    }
    return render(request, "portal/application/section.html", context)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _not_saved(
    request: HttpRequest, access: MerchantAccess, section: str, typed: list[dict[str, str]],
    refusal: MerchantRefusal,
) -> HttpResponse:  # fmt: skip
    if _is_script(request):
        return JsonResponse({"code": refusal.code, "told": refusal_told(refusal)}, status=409)
    if isinstance(refusal, Overtaken):
        return _overtaken_page(request, access, section, typed, refusal)
    messages.error(request, refusal_told(refusal))
    return redirect("merchants:application-section", section)


def _overtaken_page(
    request: HttpRequest, access: MerchantAccess, section: str, typed: list[dict[str, str]],
    refusal: Overtaken,
) -> HttpResponse:  # fmt: skip
    """What this person typed, kept, beside what somebody else saved: saving it now is a choice."""
    standing = application_of(access)
    part = standing.parts[section]
    context = {
        **_section_frame(access, standing, part),
        "rows": rows_of(replace(part, typed=typed), standing, is_told=False),
        "errors": [],
        "saved_by": refusal.by,
        "theirs": differing(part.section, typed, part.typed),
    }
    return render(request, "portal/application/section.html", context, status=409)


def _section_frame(access: MerchantAccess, standing: Standing, part: Part) -> dict[str, Any]:
    section, names = part.section.name, list(standing.parts)
    return {
        **frame_of(access),
        "application": standing.application,
        "section": section,
        "title": TITLES[section],
        "lead": LEADS[section],
        "step": names.index(section) + 1,
        "steps": len(names) + 1,
        "is_list": part.section.is_list,
        "words": reviewers_words(standing, section),
        "version": part.version,
        "is_open": standing.is_open(section),
        "before": names[names.index(section) - 1] if section != names[0] else "",
    }


def _saved(access: MerchantAccess, section: str, version: int) -> dict[str, Any]:
    """For the script: the version, and what is wrong beside which field."""
    standing = application_of(access)
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


def person_or_404(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise Http404
    return person
