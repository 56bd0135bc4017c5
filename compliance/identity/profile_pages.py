"""Pages on which everybody sets what is theirs: name, language, time zone, letters, address."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from compliance.identity.errors import EmailRefused, EmailTaken, LinkOver, PhoneMissing
from compliance.identity.models import User
from compliance.identity.own_email import (
    ask_for_email,
    confirm_email,
    is_new_address,
    undo_email,
    waiting_address,
)
from compliance.identity.profile import change_profile, choose_letters
from compliance.identity.profile_forms import LettersForm, OwnEmailForm, ProfileForm
from compliance.identity.sent_codes import remove_phone, shown_phone
from compliance.identity.signin import actor_of, keep_language, verified_required
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.identity.zones import platform_zone
from compliance.protection.masking import Kind, masked


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """One's own name, language and time zone."""
    user = cast("User", request.user)
    initial = {
        "display_name": user.display_name, "language": user.language,
        "time_zone": user.time_zone or settings.TIME_ZONE,
    }  # fmt: skip
    form = ProfileForm(request.POST or None, initial=initial)
    if form.is_valid():
        change_profile(user=user, **form.cleaned_data, actor=actor_of(request), at=timezone.now())
        with override(user.language or None):
            messages.success(request, _("Your profile is saved."))
        answer = redirect("identity:account")
        keep_language(answer, user)
        return answer
    context = {"form": form, "business_zone": platform_zone()}
    return render(request, "identity/profile.html", context)


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def letters(request: HttpRequest) -> HttpResponse:
    """Which letters come by e-mail."""
    user = cast("User", request.user)
    form = LettersForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        choose_letters(
            user=user, wanted=form.cleaned_data["wanted"], actor=actor_of(request),
            at=timezone.now(),
        )  # fmt: skip
        messages.success(request, _("Your choice is saved."))
        return redirect("identity:account")
    return render(request, "identity/letters.html", {"form": form, "person": user})


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """After a step-up: send a link to the address that is to be one's own."""
    user, now = cast("User", request.user), timezone.now()
    form = OwnEmailForm(request.POST or None)
    if form.is_valid():
        address = form.cleaned_data["email"]
        # The trail keeps for years what a deed shows.
        fact = Fact("email", _("New e-mail address"), address, masked(address, kind=Kind.EMAIL))
        deed = Deed("email.change", _("Change the e-mail address"), (fact,))
        if answer := requires_step_up(request, deed):
            return answer
        try:
            ask_for_email(user=user, email=address, actor=actor_of(request), at=now)
        except EmailRefused as refusal:
            form.add_error("email", email_told(refusal))
        else:
            text = _("A letter with a link is on its way to %(email)s.")
            messages.success(request, text % {"email": address})
            return redirect("identity:email")
    context = {
        "form": form, "person": user, "waiting": waiting_address(user, at=now),
        "is_new": is_new_address(user, at=now),
    }  # fmt: skip
    return render(request, "identity/email.html", context)


def email_told(refusal: EmailRefused) -> str:
    """Why the address cannot be changed; with the code, for support."""
    texts = {
        "no_change": _("This is your address already."),
        "changed_lately": _("The address was changed in the last three days. Wait until then."),
        "by_two_people": _("Addresses of the staff are changed by two administrators."),
    }
    return f"{texts[refusal.code]} ({refusal.code})"


@verified_required
@require_POST
def phone_away(request: HttpRequest) -> HttpResponse:
    """After a step-up: forget one's phone."""
    user = cast("User", request.user)
    shown = shown_phone(user)
    deed = Deed("phone.remove", _("Remove the phone for codes"), (
        Fact("number", _("Phone"), shown),
    ))  # fmt: skip
    if shown and (answer := requires_step_up(request, deed, back="/account/")):
        return answer
    try:
        remove_phone(user=user, actor=actor_of(request), at=timezone.now())
    except PhoneMissing:
        messages.error(request, _("There is no phone to remove."))
    else:
        messages.success(request, _("The phone is removed. No code goes there any more."))
    return redirect("identity:account")


def confirm_address(request: HttpRequest, secret: str, user: User) -> HttpResponse | None:
    """Behind the link that came to the new address. None: it is over.

    Only its person goes on, signed in: somebody else may own a mistyped address.
    """
    if request.method != "POST":
        return render(request, "identity/confirm_email.html", {"person": user})
    try:
        confirm_email(
            user=user, secret=secret, session=request.session.session_key or "",
            actor=actor_of(request), at=timezone.now(),
        )  # fmt: skip
    except (LinkOver, EmailTaken):
        return None
    messages.success(request, _("Letters go to the new address from now on."))
    return redirect("identity:account")


def put_address_back(request: HttpRequest, secret: str) -> HttpResponse | None:
    """Behind the link that came to the old address. None: it is over."""
    if request.method != "POST":
        return render(request, "identity/undo_email.html")
    try:
        undo_email(secret=secret, actor=actor_of(request), at=timezone.now())
    except (LinkOver, EmailTaken):
        return None
    request.session.flush()
    messages.success(
        request,
        _("Your old address is back, and everybody is signed out. A link for a new password is on"
          " its way to you."),
    )  # fmt: skip
    return redirect("identity:signin")
