"""The sign-in pages: password, code, enrolment of an authenticator, sign-out."""

import segno
from django.contrib.auth import authenticate
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from compliance.identity.devices import (
    Shown,
    confirm_device,
    enrolment_address,
    has_device,
    offer_device,
    show_code,
)
from compliance.identity.forms import CodeForm, PasswordForm, SecondStepForm
from compliance.identity.models import CODE_DIGITS, Authenticator, User
from compliance.identity.passkeys import list_passkeys
from compliance.identity.pending import recall, remember
from compliance.identity.recovery import use_code
from compliance.identity.signin import (
    actor_of,
    home_of,
    let_in,
    let_out,
    person_of,
    safe_next,
)
from compliance.identity.states import Ending
from compliance.identity.watch import ENDED_KEY


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def signin(request: HttpRequest) -> HttpResponse:
    """The password step. A wrong password and an unknown name get the same answer."""
    page = safe_next(request.POST.get("next", request.GET.get("next", "")))
    if request.method == "GET" and (person := person_of(request)):
        return redirect(page or home_of(person))
    form = PasswordForm(request.POST or None)
    if form.is_valid():
        name, password = form.cleaned_data["username"], form.cleaned_data["password"]
        user = authenticate(request, username=name, password=password)
        if isinstance(user, User):
            remember(request, user, next_page=page, at=timezone.now())
            return redirect("identity:code" if has_device(user) else "identity:enrol")
        form.add_error(None, _("This user name and password do not belong together."))
    ended = request.session.get(ENDED_KEY)
    context = {"form": form, "next": page, "ended": Ending(ended).label if ended else ""}
    return render(request, "identity/signin.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step, for a person who has enrolled an authenticator."""
    now = timezone.now()
    pending = recall(request, at=now)
    if pending is None:
        return redirect("identity:signin")
    form = SecondStepForm(request.POST or None)
    if form.is_valid():
        actor = actor_of(request, pending.user)
        typed = form.cleaned_data["code"]
        if len(typed) > CODE_DIGITS:
            if sheet := use_code(user=pending.user, code=typed, actor=actor, at=now):
                return let_in(request, pending, sheet)
            form.add_error("code", _("This is none of your recovery codes, or it was used."))
        else:
            shown = show_code(user=pending.user, code=typed, actor=actor, at=now)
            if shown.device:
                return let_in(request, pending, shown.device)
            explain_code(form, shown)
    context = {
        "form": form, "person": pending.user, "next": pending.next,
        "has_passkey": bool(list_passkeys(pending.user)),
    }  # fmt: skip
    return render(request, "identity/code.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """The second step of a person's first sign-in: scan a QR code and type the code it gives."""
    now = timezone.now()
    pending = recall(request, at=now)
    if pending is None:
        return redirect("identity:signin")
    if has_device(pending.user):
        return redirect("identity:code")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        actor = actor_of(request, pending.user)
        typed = form.cleaned_data["code"]
        shown = confirm_device(user=pending.user, code=typed, actor=actor, at=now)
        if shown.device:
            return let_in(request, pending, shown.device)
        explain_code(form, shown)
    device = offer_device(user=pending.user, at=now)
    return render(request, "identity/enrol.html", {"form": form, **as_qr(device)})


@require_POST
def signout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    let_out(request)
    return redirect("identity:signin")


def explain_code(form: Form, shown: Shown) -> None:
    """Say under the field why a code did not do."""
    if shown.wait_seconds:
        text = ngettext(
            "Too many wrong codes. Try again in %(seconds)d second.",
            "Too many wrong codes. Try again in %(seconds)d seconds.",
            shown.wait_seconds,
        ) % {"seconds": shown.wait_seconds}
    else:
        text = _("This code is wrong or was used before. Wait for the next one and type it here.")
    form.add_error("code", text)


def as_qr(device: Authenticator) -> dict[str, str]:
    """An authenticator as a picture to scan and a text to type."""
    qr = segno.make(enrolment_address(device), micro=False, error="m")
    svg = qr.svg_inline(scale=5, light="#fff", dark="#000", omitsize=True)
    groups = [device.secret[i : i + 4] for i in range(0, len(device.secret), 4)]
    return {"qr": mark_safe(svg), "secret": " ".join(groups)}  # noqa: S308  made by segno
