"""How a person gets in and out: the rules of sign-in that pages and decorators share."""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import login as otp_login
from django_otp.models import Device

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.address import agent_of, client_address
from compliance.identity.lockout import cool_off
from compliance.identity.models import User
from compliance.identity.pending import Pending, forget
from compliance.identity.roles import DESK_ROLES, role_names, roles_of
from compliance.identity.sessions import begin_session, close_session, longest_session

NEXT_CHARACTERS_MAX: Final = 2000
_PAGE_HERE: Final = re.compile(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]*")

BACKEND: Final = "compliance.identity.backend.RoleBackend"
MEANS: Final = {
    "Authenticator": "password, app",
    "WebAuthnCredential": "passkey",
    "RecoverySheet": "password, recovery code",
    "SentCode": "password, code that was sent",
}
"""With what somebody signed in, as the trail tells it, by the device that django-otp knows."""

View = Callable[..., HttpResponse]


def safe_next(wanted: str) -> str:
    """The page to go to after sign-in: a path on this site, or "" for anything else."""
    if len(wanted) > NEXT_CHARACTERS_MAX or not _PAGE_HERE.fullmatch(wanted):
        return ""
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


def home_of(user: User) -> str:
    """Where a person's work is, when they did not ask for a page."""
    if roles_of(user) & DESK_ROLES:
        return reverse("desk:home")
    if user.is_staff:
        return reverse("admin:index")
    return str(settings.LOGIN_REDIRECT_URL)


def person_of(request: HttpRequest) -> User | None:
    """The signed-in, verified and active person, or None."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    return user if getattr(user, "otp_device", None) is not None else None


def is_verified(request: HttpRequest) -> bool:
    """Whether the person has signed in with a second factor in this session."""
    return person_of(request) is not None


def verified_required(view: View) -> View:
    """Decorate a page that only a person with password and second factor may see."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if is_verified(request) else to_signin(request)

    return guarded


def to_signin(request: HttpRequest) -> HttpResponse:
    """Send the person to the sign-in and afterwards back to this page."""
    is_page = request.method in {"GET", "HEAD"}
    return redirect(signin_address(safe_next(request.get_full_path()) if is_page else ""))


def signin_address(page: str) -> str:
    """The sign-in, from which one goes on to `page` (a path, or "")."""
    return reverse("identity:signin") + (f"?{urlencode({'next': page})}" if page else "")


def actor_of(request: HttpRequest, user: User | None = None) -> Actor:
    """The person as audit entries name them. Without a person: a stranger at an address.

    Looked up once per request: what a request does, it does in the roles that it came with.
    """
    person = user or request.user
    address, agent = client_address(request), agent_of(request)
    if isinstance(person, AnonymousUser) or person.pk is None:
        return Actor("user", "", "", address, agent=agent)
    known = getattr(request, "_audit_actor", None)
    if isinstance(known, Actor) and known.person == person.pk:
        return known
    actor = Actor(
        "user", str(person.pk), person.get_username(), address,
        person=person.pk, role=role_names(person), agent=agent,
    )  # fmt: skip
    request._audit_actor = actor  # type: ignore[attr-defined]  # noqa: SLF001
    return actor


@transaction.atomic
def let_in(request: HttpRequest, pending: Pending, device: Device) -> HttpResponse:
    """Both factors were shown: open the session, under a new key, and go where they wanted."""
    user = pending.user
    forget(request)
    login(request, user, backend=pending.backend)
    otp_login(request, device)
    is_staff = user.is_staff
    # Django forgets it an hour later, so that whoever comes meanwhile is told what happened.
    request.session.set_expiry(longest_session(is_staff=is_staff) + 3600)
    begin_session(
        user=user, key=request.session.session_key or "", is_staff=is_staff,
        address=client_address(request), agent=agent_of(request), at=timezone.now(),
    )  # fmt: skip
    record(
        actor_of(request, user),
        "signin.succeeded",
        subject=("user", str(user.pk)),
        facts={"means": MEANS[type(device).__name__]},
        at=timezone.now(),
    )
    if user.is_superuser:
        # The account for emergencies: compliance asks after each use.
        record(
            actor_of(request, user),
            "alarm.superuser_signed_in",
            subject=("user", str(user.pk)),
            at=timezone.now(),
        )
    response = redirect(pending.next or home_of(user))
    if user.language:
        keep_language(response, user)
    return response


def keep_language(response: HttpResponse, user: User) -> None:
    """Have the person's pages in their language; without one the browser says which."""
    if not user.language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        user.language,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


@transaction.atomic
def let_out(request: HttpRequest) -> None:
    """End the session."""
    if request.user.is_authenticated:
        actor = actor_of(request)
        now = timezone.now()
        key = request.session.session_key or ""
        close_session(user=request.user, key=key, at=now)
        record(actor, "signin.ended", subject=("user", actor.id), at=now)
    logout(request)


def locked_out(
    request: HttpRequest,
    original_response: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The answer to one who tried too many passwords; django-axes calls it, known name or not."""
    minutes = round(cool_off(request).total_seconds() / 60)
    return render(request, "identity/locked.html", {"minutes": minutes}, status=429)
