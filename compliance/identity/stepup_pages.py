"""Asks for the second factor in the middle of a form, and hands the form back."""

from http import HTTPStatus
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from compliance.identity.forms import CodeForm, SecondStepForm
from compliance.identity.models import User
from compliance.identity.passkeys import list_passkeys
from compliance.identity.signin import actor_of, person_of, verified_required
from compliance.identity.stepup import (
    LASTS,
    OF_FACTORS,
    Deed,
    find,
    form_of,
    is_late,
    show,
    spend,
    want,
)
from compliance.identity.stepup_models import StepUp
from compliance.identity.views import explain_code

CHALLENGE = (
    'Bearer error="insufficient_user_authentication", '
    'error_description="A fresh second factor is needed", '
    f"max_age={int(LASTS.total_seconds())}"
)
"""RFC 9470, section 3."""
FILES: Final = (".download", ".export")
"""How purposes end whose deed hands a file out: then the browser stays on our page, done or not."""


def requires_step_up(request: HttpRequest, deed: Deed, *, back: str = "") -> HttpResponse | None:
    """Called by a page when its form is valid, before the verb. None: go on, the check is used up.

    Otherwise the answer to give: people are asked for a code and come back to the filled form,
    programs are told by RFC 9470. `back` is the form's page, where that is another address.
    """
    user, now = _person(request), timezone.now()
    session = request.session.session_key or ""
    if spend(user=user, session=session, deed=deed, at=now):
        return None
    if request.headers.get("Accept", "").startswith("application/json"):
        answer = JsonResponse({"code": "step_up_required"}, status=HTTPStatus.UNAUTHORIZED)
        answer["WWW-Authenticate"] = CHALLENGE
        return answer
    form = [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
    wanted = want(
        user=user, session=session, deed=deed, path=request.get_full_path(), back=back, form=form,
        at=now,
    )  # fmt: skip
    return redirect("identity:stepup", wanted.public_id)


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def stepup(request: HttpRequest, number: str) -> HttpResponse:
    """What is to be done, a code for it, and then the one button that does it."""
    user, now = _person(request), timezone.now()
    session = request.session.session_key or ""
    wanted = find(user=user, session=session, number=number, at=now)
    if wanted is None:
        raise Http404
    if is_late(wanted, at=now):
        return _over(request, wanted, is_too_late=True)
    if wanted.passed_at is not None:
        return _page(request, wanted, None)
    asks = SecondStepForm if wanted.purpose in OF_FACTORS else CodeForm
    form = asks(request.POST or None)
    if form.is_valid():
        actor, code = actor_of(request, user), form.cleaned_data["code"]
        shown = show(wanted=wanted, code=code, actor=actor, at=now)
        if shown.device is not None:
            return redirect("identity:stepup", number)
        again = find(user=user, session=session, number=number, at=now)
        if again is None:
            return _over(request, wanted, is_too_late=False)
        explain_code(form, shown)
    return _page(request, wanted, form)


def _over(request: HttpRequest, wanted: StepUp, *, is_too_late: bool) -> HttpResponse:
    context = {"back": wanted.back, "is_too_late": is_too_late}
    return render(request, "identity/stepup_over.html", context, status=HTTPStatus.GONE)


def _page(request: HttpRequest, wanted: StepUp, form: CodeForm | None) -> HttpResponse:
    """With a form: asks for the code. Without: the deed, ready to be done."""
    context = {
        "wanted": wanted,
        "form": form,
        "fields": form_of(wanted) if form is None else [],
        "heading": _("Confirm it is you") if form else _("Ready"),
        "gives_file": form is None and wanted.purpose.endswith(FILES),
        "has_passkey": form is not None and bool(list_passkeys(wanted.user)),
    }
    return render(request, "identity/stepup.html", context)


def _person(request: HttpRequest) -> User:
    user = person_of(request)
    if user is None:
        raise Http404
    return user
