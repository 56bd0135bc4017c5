"""The merchant confirms its data: section by section, unchanged or what has changed."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from compliance.identity.signin import person_of
from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.errors import MerchantRefusal
from merchants.onboarding.confirming import TOLD_MAX, confirm_data, sections_to_confirm
from merchants.onboarding.words import LEADS, TITLES, refusal_told
from merchants.portal.session import frame_of, portal_page
from merchants.terms.queries import review_of

SAME, CHANGED = "same", "changed"
TERM_DIGITS_MAX = 18


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(APPLICATION_WRITE)
def confirm(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The form, and what was typed into it where something is still missing."""
    term = review_of(access)
    if term is None:
        return redirect("merchants:papers")
    error, missing = "", ""
    sections = sections_to_confirm(access.merchant_id)
    if request.method == "POST":
        try:
            _confirm(request, access, _answers(request, sections))
        except MerchantRefusal as refusal:
            error, missing = refusal_told(refusal), refusal.facts.get("section", "")
        else:
            messages.success(request, _("Your word is with our reviewers."))
            return redirect("merchants:papers")
    context = {
        **frame_of(access),
        "term": term,
        "sections": [_line(request, name, missing) for name in sections],
        "error": error,
        "told_max": TOLD_MAX,
    }
    return render(request, "portal/merchants/confirm.html", context, status=422 if error else 200)


def _confirm(request: HttpRequest, access: MerchantAccess, answers: Mapping[str, str]) -> None:
    person = person_of(request)
    if person is None:
        raise Http404
    number = request.POST.get("term", "")
    term = int(number) if number.isdecimal() and len(number) < TERM_DIGITS_MAX else 0
    confirm_data(access=access, by=person, term=term, answers=answers, at=timezone.now())


def _answers(request: HttpRequest, sections: tuple[str, ...]) -> Mapping[str, str]:
    """Whoever says that something has changed also says what: else it is no answer."""
    answers = {}
    for name in sections:
        said, told = request.POST.get(f"said-{name}", ""), request.POST.get(f"told-{name}", "")
        if said == SAME:
            answers[name] = ""
        elif said == CHANGED and told.strip():
            answers[name] = told
    return answers


def _line(request: HttpRequest, name: str, missing: str) -> Mapping[str, object]:
    return {
        "name": name,
        "title": TITLES[name],
        "lead": LEADS[name],
        "said": request.POST.get(f"said-{name}", ""),
        "told": request.POST.get(f"told-{name}", ""),
        "is_missing": name == missing,
    }
