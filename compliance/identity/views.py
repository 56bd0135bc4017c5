"""The sign-in pages: password, code, enrolment of an authenticator, sign-out."""

from datetime import datetime

import segno
from django.contrib.auth import authenticate
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
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
from compliance.identity.limited import too_many
from compliance.identity.models import CODE_DIGITS, Authenticator, User
from compliance.identity.passkeys import list_passkeys
from compliance.identity.pending import Pending, recall, remember
from compliance.identity.recovery import use_code
from compliance.identity.sent_codes import SIGN_IN, means_of, send_code, shown_phone, take_code
from compliance.identity.signin import (
    actor_of,
    home_of,
    let_in,
    let_out,
    person_of,
    safe_next,
)
from compliance.identity.states import CodeMeans, Ending
from compliance.identity.watch import ENDED_KEY
from compliance.limits import TooMany


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
        "means": _offered(pending, now),
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


@never_cache
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Send a code by e-mail or to the phone, for a sign-in that has passed the password."""
    now = timezone.now()
    pending = recall(request, at=now)
    if pending is None:
        return redirect("identity:signin")
    offered = means_of(pending.user, is_by_mail=pending.is_by_mail, at=now)
    wanted = request.POST.get("means", "")
    if wanted not in offered:
        raise Http404
    try:
        send_code(
            user=pending.user, means=CodeMeans(wanted), purpose=SIGN_IN,
            session=request.session.session_key or "", actor=actor_of(request, pending.user),
            at=now,
        )  # fmt: skip
    except TooMany as refusal:
        return too_many(refusal)
    return redirect("identity:sent-code")


@never_cache
@require_http_methods(["GET", "POST"])
def sent_code(request: HttpRequest) -> HttpResponse:
    """The second step with a code that was sent."""
    now = timezone.now()
    pending = recall(request, at=now)
    if pending is None:
        return redirect("identity:signin")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        row = take_code(
            user=pending.user, purpose=SIGN_IN, session=request.session.session_key or "",
            code=form.cleaned_data["code"], actor=actor_of(request, pending.user), at=now,
        )  # fmt: skip
        if row is not None:
            return let_in(request, pending, row)
        form.add_error("code", _("This code is wrong or too old. Have another one sent."))
    return render(
        request, "identity/sent_code.html", {"form": form, "means": _offered(pending, now)}
    )


def _offered(pending: Pending, at: datetime) -> list[tuple[str, str]]:
    """How a code could be sent: the means, and the words for its button."""
    words = {
        CodeMeans.EMAIL: _("Send a code by e-mail"),
        CodeMeans.SMS: _("Send a code to %(phone)s") % {"phone": shown_phone(pending.user)},
    }
    means = means_of(pending.user, is_by_mail=pending.is_by_mail, at=at)
    return [(str(one.value), words[one]) for one in means]


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
