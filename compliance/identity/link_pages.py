"""Pages around links that are sent by e-mail: asking for one, and what is behind it."""

import secrets
from typing import Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from compliance.identity.devices import has_device
from compliance.identity.errors import LinkOver
from compliance.identity.forms import AddressForm, NewPasswordForm
from compliance.identity.links import find_link
from compliance.identity.models import User
from compliance.identity.pending import remember
from compliance.identity.people import (
    ask_for_password_link,
    ask_for_signin_link,
    choose_password,
    take_signin_link,
)
from compliance.identity.profile_pages import confirm_address, put_address_back
from compliance.identity.signin import BACKEND, actor_of, person_of, signin_address
from compliance.identity.states import LinkKind

LINK_KEY: Final = "link"
"""Where the secret of a link waits: the page's own address must not tell it to anybody."""
BROWSER_KEY: Final = "link_browser"


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a new password, or for a link that stands for the password once.

    Whether somebody has the address, the answer does not tell.
    """
    form = AddressForm(request.POST or None)
    if form.is_valid():
        email, now, actor = form.cleaned_data["email"], timezone.now(), actor_of(request)
        if request.POST.get("kind") == LinkKind.SIGN_IN:
            browser = request.session.setdefault(BROWSER_KEY, secrets.token_urlsafe(32))
            ask_for_signin_link(email=email, browser=browser, actor=actor, at=now)
        else:
            ask_for_password_link(email=email, actor=actor, at=now)
        return render(request, "identity/link_sent.html", {"email": email})
    return render(request, "identity/forgotten.html", {"form": form})


@never_cache
@require_safe
def link(request: HttpRequest, kind: str, secret: str) -> HttpResponse:
    """A link was clicked: take its secret out of the address, and go on."""
    if kind not in LinkKind.values:
        raise Http404
    request.session[LINK_KEY] = [kind, secret]
    return redirect("identity:opened-link")


@never_cache
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def opened(request: HttpRequest) -> HttpResponse:
    """What is behind the link that was clicked last. Looking at it spends nothing."""
    kept = request.session.get(LINK_KEY)
    if not kept:
        return redirect("identity:signin")
    kind, secret = LinkKind(kept[0]), str(kept[1])
    browser = str(request.session.get(BROWSER_KEY, ""))
    found = find_link(secret=secret, kind=kind, browser=browser, at=timezone.now())
    if found is None:
        return _over(request, kind)
    if kind == LinkKind.SIGN_IN:
        return _sign_in(request, secret, browser)
    if kind == LinkKind.EMAIL_UNDO:
        return put_address_back(request, secret) or _over(request, kind)
    if kind == LinkKind.EMAIL:
        return _confirm_address(request, secret, found.user)
    return _choose(request, kind, secret, found.user)


def _choose(request: HttpRequest, kind: LinkKind, secret: str, user: User) -> HttpResponse:
    form = NewPasswordForm(request.POST or None)
    if form.is_valid():
        try:
            choose_password(
                secret=secret, kind=kind, password=form.cleaned_data["password"],
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip
        except ValidationError as weak:
            form.add_error("password", weak)
        except LinkOver:
            return _over(request, kind)
        else:
            request.session.flush()
            messages.success(request, _("Your password is set. Sign in with it."))
            return redirect("identity:signin")
    context = {"form": form, "person": user, "is_first": kind == LinkKind.INVITATION}
    return render(request, "identity/choose_password.html", context)


def _sign_in(request: HttpRequest, secret: str, browser: str) -> HttpResponse:
    if request.method != "POST":
        return render(request, "identity/signin_link.html")
    now = timezone.now()
    try:
        user = take_signin_link(
            secret=secret, browser=browser, actor=actor_of(request), at=now
        )  # fmt: skip
    except LinkOver:
        return _over(request, LinkKind.SIGN_IN)
    if not has_device(user):
        return redirect("identity:signin")  # A mailbox alone enrols nothing.
    user.backend = BACKEND
    remember(request, user, next_page="", at=now, is_by_mail=True)
    return redirect("identity:code")


def _confirm_address(request: HttpRequest, secret: str, user: User) -> HttpResponse:
    signed_in = person_of(request)
    if signed_in is None:
        return redirect(signin_address(reverse("identity:opened-link")))
    if signed_in.pk != user.pk:
        return _over(request, LinkKind.EMAIL)
    return confirm_address(request, secret, signed_in) or _over(request, LinkKind.EMAIL)


def _over(request: HttpRequest, kind: LinkKind) -> HttpResponse:
    request.session.pop(LINK_KEY, None)
    return render(request, "identity/link_over.html", {"kind": kind.value}, status=410)
