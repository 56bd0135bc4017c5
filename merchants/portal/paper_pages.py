"""The merchant's papers: until when each is good, and handing in a new one."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from compliance.identity.signin import person_of
from compliance.protection.vault.files import Upload
from compliance.protection.vault.kinds import BYTES_MAX, FileRefused
from compliance.protection.vault.words import FILE_REFUSALS
from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.days import day_of
from merchants.errors import MerchantRefusal
from merchants.onboarding.words import TITLES, refusal_told
from merchants.portal.session import frame_of, portal_page
from merchants.terms.expiry import Stage
from merchants.terms.models import Term
from merchants.terms.renewing import ask_for_renewal
from merchants.terms.states import TermKind
from merchants.terms.watch import current_terms, effect_now, stage_now


class RenewalForm(forms.Form):
    """A new paper and its last day."""

    term = forms.IntegerField(widget=forms.HiddenInput())
    file = forms.FileField(label=gettext_lazy("File"), max_length=255, allow_empty_file=True)
    last_day = forms.DateField(label=gettext_lazy("Good until"), required=False)
    is_long = forms.BooleanField(label=gettext_lazy("without an end"), required=False)

    def clean(self) -> dict[str, Any]:
        """One of both."""
        said = super().clean() or {}
        if not said.get("last_day") and not said.get("is_long"):
            raise forms.ValidationError(
                _("Until when is it good? Choose the day, or tick the box.")
            )
        return said


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(APPLICATION_WRITE)
def papers(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Each paper with its term, and the form for a new one."""
    error, term = "", 0
    if request.method == "POST":
        form = RenewalForm(request.POST, request.FILES)
        error = _ask(request, access, form) if form.is_valid() else _first_error(form)
        if not error:
            messages.success(request, _("The new paper is with our reviewers."))
            return redirect("merchants:papers")
        term = form.cleaned_data.get("term") or 0
    merchant = Merchant.objects.get(pk=access.merchant_id)
    now = timezone.now()
    today = day_of(now)
    context = {
        **frame_of(access),
        "papers": [
            {
                "row": row,
                "tone": _tone(row, at=now),
                "is_review": row.kind == TermKind.REVIEW,
                "days": (row.last_day - today).days if row.last_day else None,
                **_last_answer(row),
                "error": error if row.pk == term else "",
            }
            for row in current_terms(merchant)
        ],
        "error": error if not term else "",
    }
    return render(request, "portal/merchants/papers.html", context, status=422 if error else 200)


def _last_answer(row: Term) -> Mapping[str, object]:
    """The renewal that was asked for last, and of which sections it says what."""
    renewal = row.renewals.select_related("file").order_by("-pk").first()
    statement = renewal.statement if renewal else {}
    told = [(TITLES.get(name, name), text) for name, text in statement.items() if text]
    return {"renewal": renewal, "told": told}


def _tone(term: Term, *, at: datetime) -> str:
    if effect_now(term, at=at) >= Stage.LIMITED:
        return "bad"
    return "warn" if stage_now(term, at=at).value else "ok"


def _ask(request: HttpRequest, access: MerchantAccess, form: RenewalForm) -> str:
    said, person = form.cleaned_data, person_of(request)
    if person is None:
        raise Http404
    last_day: date | None = None if said["is_long"] else said["last_day"]
    sent = said["file"]
    upload = Upload(sent.name, sent.content_type or "", sent.read(BYTES_MAX + 1))
    try:
        ask_for_renewal(
            access=access, by=person, term=said["term"], upload=upload, last_day=last_day,
            at=timezone.now(),
        )  # fmt: skip
    except FileRefused as refusal:
        return str(FILE_REFUSALS[refusal.code])
    except MerchantRefusal as refusal:
        return refusal_told(refusal)
    return ""


def _first_error(form: RenewalForm) -> str:
    return str(next(iter(form.errors.values()))[0])
