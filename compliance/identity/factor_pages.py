"""Pages of one's own second factors: passkeys, the authenticator app, recovery codes."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login

from compliance.identity.devices import offer_device, replace_device
from compliance.identity.errors import PasskeyRefused
from compliance.identity.forms import CodeForm, PasskeyForm
from compliance.identity.models import User
from compliance.identity.passkeys import (
    Question,
    add_passkey,
    ask_for_passkey,
    ask_to_enrol,
    list_passkeys,
    remove_passkey,
    show_passkey,
)
from compliance.identity.pending import Pending
from compliance.identity.recovery import make_codes
from compliance.identity.signin import (
    BACKEND,
    actor_of,
    let_in,
    safe_next,
    verified_required,
)
from compliance.identity.stepup import Deed, Fact, find, pass_wish
from compliance.identity.stepup_pages import requires_step_up
from compliance.identity.views import as_qr, explain_code

ASKED_KEY: Final = "passkey_asked"
"""What we remember of a question to a device; popped before its answer is looked at."""
ADDING_KEY: Final = "passkey_adding"
"""The name of the passkey that may be added, after a step-up."""
REPLACING_KEY: Final = "authenticator_replacing"
MINUTES: Final = 5
BODY_MAX: Final = 20_000


@never_cache
@require_POST
def ask_signin(request: HttpRequest) -> HttpResponse:
    """What a browser asks a device that is to sign somebody in."""
    return _ask(request, ask_for_passkey(), "signin")


@never_cache
@require_POST
def signin(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey alone: the device has verified its user."""
    said, state = _said(request), _state(request, "signin")
    try:
        device = show_passkey(state=state, answer=said.get("credential") or {})
    except PasskeyRefused:
        return _refused()
    page = safe_next(str(said.get("next") or ""))
    answer = let_in(request, Pending(device.user, BACKEND, page), device)
    gone = JsonResponse({"to": answer["Location"]})
    gone.cookies.update(answer.cookies)
    return gone


@never_cache
@verified_required
@require_POST
def ask_stepup(request: HttpRequest, number: str) -> HttpResponse:
    """What a browser asks a device that is to confirm a deed."""
    user = cast("User", request.user)
    return _ask(request, ask_for_passkey(user=user), f"stepup:{number}")


@never_cache
@verified_required
@require_POST
def stepup(request: HttpRequest, number: str) -> HttpResponse:
    """Confirm a deed with a passkey instead of a code."""
    user, now = cast("User", request.user), timezone.now()
    said, state = _said(request), _state(request, f"stepup:{number}")
    session = request.session.session_key or ""
    wanted = find(user=user, session=session, number=number, at=now)
    if wanted is None:
        raise Http404
    try:
        show_passkey(state=state, answer=said.get("credential") or {}, user=user)
    except PasskeyRefused:
        return _refused()
    if not pass_wish(wanted=wanted, actor=actor_of(request), at=now):
        return _refused()
    return JsonResponse({"to": request.path.removesuffix("passkey/")})


@never_cache
@verified_required
@require_POST
def new_passkey(request: HttpRequest) -> HttpResponse:
    """After a step-up: the page with the button that makes a passkey."""
    form = PasskeyForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the passkey a name by which you will know it."))
        return redirect("identity:account")
    name = form.cleaned_data["name"]
    deed = Deed("passkey.add", _("Add a passkey"), (Fact("name", _("Name"), name),))
    if answer := requires_step_up(request, deed, back="/account/"):
        return answer
    request.session[ADDING_KEY] = [name, timezone.now().timestamp() + MINUTES * 60]
    return render(request, "identity/new_passkey.html", {"name": name})


@never_cache
@verified_required
@require_POST
def ask_enrol(request: HttpRequest) -> HttpResponse:
    """What a browser asks a device that is to become a passkey."""
    if not _adding(request):
        raise Http404
    return _ask(request, ask_to_enrol(user=cast("User", request.user)), "enrol")


@never_cache
@verified_required
@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    """Keep the passkey that a device has made."""
    said, state, name = _said(request), _state(request, "enrol"), _adding(request)
    if not name:
        raise Http404
    try:
        add_passkey(
            user=cast("User", request.user), state=state, answer=said.get("credential") or {},
            name=name, actor=actor_of(request), at=timezone.now(),
        )  # fmt: skip
    except PasskeyRefused:
        return _refused()
    request.session.pop(ADDING_KEY, None)
    messages.success(request, _("The passkey is added. You can sign in with it alone."))
    return JsonResponse({"to": "/account/"})


@verified_required
@require_POST
def remove(request: HttpRequest, passkey: int) -> HttpResponse:
    """Take a passkey away."""
    user = cast("User", request.user)
    names = {row.pk: row.name for row in list_passkeys(user)}
    fact = Fact("passkey", _("Passkey"), str(passkey), shown=names.get(passkey, ""))
    deed = Deed("passkey.remove", _("Remove a passkey"), (fact,))
    if answer := requires_step_up(request, deed, back="/account/"):
        return answer
    try:
        remove_passkey(user=user, passkey=passkey, actor=actor_of(request), at=timezone.now())
    except PasskeyRefused:
        messages.error(request, _("This is your last second factor. Add another one first."))
    else:
        messages.success(request, _("The passkey is removed."))
    return redirect("identity:account")


@never_cache
@verified_required
@require_POST
def codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown on this answer and never again."""
    user = cast("User", request.user)
    fact = Fact("user", _("User name"), user.username)
    deed = Deed("recovery_codes.make", _("Make recovery codes"), (fact,))
    if answer := requires_step_up(request, deed, back="/account/"):
        return answer
    made = make_codes(user=user, actor=actor_of(request), at=timezone.now())
    return render(request, "identity/recovery_codes.html", {"codes": made}, status=201)


@verified_required
@require_POST
def replace(request: HttpRequest) -> HttpResponse:
    """After a step-up: go and enrol another authenticator app."""
    user = cast("User", request.user)
    fact = Fact("user", _("User name"), user.username)
    deed = Deed("authenticator.replace", _("Enrol another authenticator app"), (fact,))
    if answer := requires_step_up(request, deed, back="/account/"):
        return answer
    request.session[REPLACING_KEY] = timezone.now().timestamp() + MINUTES * 60
    return redirect("identity:new-authenticator")


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def new_authenticator(request: HttpRequest) -> HttpResponse:
    """Scan the QR code with the new app; the old one does until the new one's first code."""
    user, now = cast("User", request.user), timezone.now()
    if request.session.get(REPLACING_KEY, 0) < now.timestamp():
        return redirect("identity:account")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        shown = replace_device(
            user=user, code=form.cleaned_data["code"], session=request.session.session_key or "",
            actor=actor_of(request), at=now,
        )  # fmt: skip
        if shown.device:
            del request.session[REPLACING_KEY]
            otp_login(request, shown.device)
            messages.success(request, _("The new authenticator app is enrolled."))
            return redirect("identity:account")
        explain_code(form, shown)
    device = offer_device(user=user, at=now)
    return render(request, "identity/enrol.html", {"form": form, **as_qr(device)})


def _ask(request: HttpRequest, question: Question, purpose: str) -> HttpResponse:
    until = timezone.now().timestamp() + MINUTES * 60
    request.session[ASKED_KEY] = [purpose, until, dict(question.state)]
    return JsonResponse(question.options)


def _state(request: HttpRequest, purpose: str) -> Mapping[str, Any]:
    """What was asked for this purpose, once and for minutes; nothing that any answer fits else."""
    kept = request.session.pop(ASKED_KEY, None)
    request.session.save()
    if not kept or kept[0] != purpose or kept[1] < timezone.now().timestamp():
        return {}
    return cast("Mapping[str, Any]", kept[2])


def _said(request: HttpRequest) -> dict[str, Any]:
    try:
        said = json.loads(request.body[:BODY_MAX])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _adding(request: HttpRequest) -> str:
    name, until = request.session.get(ADDING_KEY, ["", 0])
    return str(name) if until > timezone.now().timestamp() else ""


def _refused() -> HttpResponse:
    told = _("The passkey did not do. Try again, or use your authenticator app.")
    return JsonResponse({"detail": told}, status=HTTPStatus.BAD_REQUEST)
