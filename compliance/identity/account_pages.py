"""What everybody sees of their own account: where they are signed in, and how to end that."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.devices import has_authenticator, show_code
from compliance.identity.errors import SessionNotFound
from compliance.identity.forms import PasskeyForm, PasswordChangeForm, PhoneForm
from compliance.identity.models import User
from compliance.identity.passkeys import list_passkeys
from compliance.identity.people import change_password
from compliance.identity.recovery import codes_left
from compliance.identity.sent_codes import shown_phone
from compliance.identity.sessions import (
    end_other_sessions,
    end_session,
    follow_session,
    is_session,
    list_sessions,
)
from compliance.identity.signin import actor_of, home_of, verified_required
from compliance.identity.states import Ending
from compliance.identity.views import explain_code


@never_cache
@verified_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own account."""
    user = cast("User", request.user)
    key = request.session.session_key or ""
    sessions = [(row, is_session(row, key)) for row in list_sessions(user, at=timezone.now())]
    context = {
        "person": user, "sessions": sessions, "home": home_of(user),
        "has_app": has_authenticator(user), "passkeys": list_passkeys(user),
        "codes_left": codes_left(user), "passkey_form": PasskeyForm(),
        "has_sms": bool(settings.SMS_SENDER), "phone": shown_phone(user), "phone_form": PhoneForm(),
        "platform_zone": settings.TIME_ZONE,
    }  # fmt: skip
    return render(request, "identity/account.html", context)


@never_cache
@sensitive_post_parameters("old", "password", "again", "code")
@verified_required
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password, showing both factors."""
    user, now = cast("User", request.user), timezone.now()
    form = PasswordChangeForm(request.POST or None)
    if form.is_valid() and _shows_both(request, form):
        try:
            change_password(
                user=user, password=form.cleaned_data["password"],
                session=request.session.session_key or "", actor=actor_of(request), at=now,
            )  # fmt: skip
        except ValidationError as weak:
            form.add_error("password", weak)
        else:
            key = request.session.session_key or ""
            update_session_auth_hash(request, user)
            follow_session(user=user, key=key, new_key=request.session.session_key or "")
            messages.success(request, _("Your password is changed."))
            return redirect("identity:account")
    return render(request, "identity/password.html", {"form": form})


def _shows_both(request: HttpRequest, form: PasswordChangeForm) -> bool:
    """The code is looked at, and so spent, only after the right password and a good new one."""
    user = cast("User", request.user)
    if not user.check_password(form.cleaned_data["old"]):
        form.add_error("old", _("This is not your password."))
        return False
    try:
        validate_password(form.cleaned_data["password"], user)
    except ValidationError as weak:
        form.add_error("password", weak)
        return False
    code = form.cleaned_data["code"]
    shown = show_code(user=user, code=code, actor=actor_of(request), at=timezone.now())
    if shown.device is None:
        explain_code(form, shown)
    return shown.device is not None


@verified_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one of one's other sessions, or all of them."""
    user, now = cast("User", request.user), timezone.now()
    wanted = request.POST.get("session", "")
    if wanted == "others":
        key = request.session.session_key or ""
        ended = end_other_sessions(
            user=user, key=key, why=Ending.BY_OWNER, actor=actor_of(request), at=now
        )
        text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
        messages.success(request, text % {"count": ended})
        return redirect("identity:account")
    try:
        end_session(user=user, session=wanted, why=Ending.BY_OWNER, actor=actor_of(request), at=now)
    except SessionNotFound:
        raise Http404 from None
    messages.success(request, _("The session was ended."))
    return redirect("identity:account")


@never_cache
@require_http_methods(["GET", "POST"])
def session(request: HttpRequest) -> HttpResponse:
    """For the page's clock: how many seconds are left. GET only asks, POST stays signed in."""
    return JsonResponse({"seconds_left": getattr(request, "seconds_left", 0)})
