"""Middleware: a session that is over opens nothing, and the person is told why."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from compliance.identity.models import User
from compliance.identity.sessions import Standing, use_session
from compliance.trace import note

ENDED_KEY: Final = "ended"
"""Where the sign-in page finds why the session before ended."""


def end_what_is_over(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let whoever is signed in go on, or out."""

    def answer(request: HttpRequest) -> HttpResponse:
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if has_session and isinstance(request.user, User):
            note(person=request.user.pk)
            standing = _use(request, request.user)
            if standing.ended is not None:
                logout(request)
                request.session[ENDED_KEY] = standing.ended.value
            else:
                request.seconds_left = standing.seconds_left  # type: ignore[attr-defined]
        return get_response(request)

    return answer


def _use(request: HttpRequest, user: User) -> Standing:
    """Asking how long the session lasts is no use of it; asking for more is."""
    is_use = request.method == "POST" or request.path != reverse("identity:session")
    key = request.session.session_key or ""
    return use_session(user=user, key=key, is_use=is_use, at=timezone.now())
