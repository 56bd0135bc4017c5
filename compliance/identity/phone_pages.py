"""Pages of one's own phone, to which codes can be sent."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from compliance.identity.forms import CodeForm, PhoneForm
from compliance.identity.limited import too_many
from compliance.identity.models import User
from compliance.identity.sent_codes import PHONE, confirm_phone, offer_phone, send_code
from compliance.identity.signin import actor_of, verified_required
from compliance.identity.states import CodeMeans
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.limits import TooMany
from compliance.protection.masking import Kind, masked


@never_cache
@verified_required
@require_POST
def phone(request: HttpRequest) -> HttpResponse:
    """After a step-up: send a code to the number that is to be one's own."""
    user, now = cast("User", request.user), timezone.now()
    form = PhoneForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["number"][0]))
        return redirect("identity:account")
    number = form.cleaned_data["number"]
    # The trail keeps for years what a deed shows.
    fact = Fact("number", _("Phone"), number, masked(number, kind=Kind.PHONE))
    deed = Deed("phone.set", _("Set the phone for codes"), (fact,))
    if answer := requires_step_up(request, deed, back="/account/"):
        return answer
    offer_phone(user=user, number=number, at=now)
    try:
        send_code(
            user=user, means=CodeMeans.SMS, purpose=PHONE,
            session=request.session.session_key or "", actor=actor_of(request), at=now,
        )  # fmt: skip
    except TooMany as refusal:
        return too_many(refusal)
    return redirect("identity:confirm-phone")


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """The code that came to the phone."""
    user = cast("User", request.user)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if confirm_phone(
            user=user, session=request.session.session_key or "", code=form.cleaned_data["code"],
            actor=actor_of(request), at=timezone.now(),
        ):  # fmt: skip
            messages.success(request, _("The phone is confirmed."))
            return redirect("identity:account")
        form.add_error("code", _("This code is wrong or too old. Have another one sent."))
    return render(request, "identity/phone.html", {"form": form})
