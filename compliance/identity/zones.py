"""The time zone and language in which somebody reads. Days of business stay the platform's."""

from collections.abc import Callable
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from compliance.identity.models import User

AREAS: Final = (
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
    "Pacific",
)  # fmt: skip


@cache
def zone_names() -> tuple[str, ...]:
    """The names to choose among: an area and a place, the platform's own first."""
    own = str(settings.TIME_ZONE)
    places = sorted(
        name for name in available_timezones() if name.startswith(tuple(f"{a}/" for a in AREAS))
    )
    return (own, *(name for name in places if name != own), "UTC")


def platform_zone() -> ZoneInfo:
    """Where the platform's business is: its days begin at that midnight."""
    return ZoneInfo(settings.TIME_ZONE)


def zone_of(user: User) -> ZoneInfo:
    """The person's zone; the platform's for who chose none, or one that is not known any more."""
    try:
        return ZoneInfo(user.time_zone or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return platform_zone()


def as_they_read(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whoever is signed in reads in their own time zone and, unless they have chosen
    another in this browser, in their own language.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if not has_session or not isinstance(request.user, User):
            return get_response(request)
        with timezone.override(zone_of(request.user)):
            if not request.user.language or settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
                return get_response(request)
            request.LANGUAGE_CODE = request.user.language
            with translation.override(request.user.language):
                response = get_response(request)
                response.headers.setdefault("Content-Language", request.user.language)
                return response

    return answer
