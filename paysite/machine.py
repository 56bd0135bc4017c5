"""The short way through Django for machines: no session, no cookies, no forms, no pages.

Programs of merchants and gateways prove themselves in each message. What browsers need (sessions,
CSRF, language, messages, lock-out of sign-ins) costs more than the rest of their requests together.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponseBase

from paysite.health import healthz, readyz

PATHS: Final = ("/api/v1/", "/notify/", "/healthz", "/readyz")
"""What machines call."""

PROBES: Final = {"/healthz": healthz, "/readyz": readyz}

MIDDLEWARE: Final = [
    "paysite.requests.numbered",
    "paysite.machine.nothing_to_run",
    "paysite.machine.probes_first",
    "django.middleware.security.SecurityMiddleware",
]


def nothing_to_run(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a browser that is shown such an answer may do nothing with it."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault(
            "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
        )
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return answer


def probes_first(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: load balancers and the launcher ask by IP address and without TLS. Neither the
    host's name nor the scheme matters to what they are told.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else get_response(request)

    return answer


class MachineHandler(WSGIHandler):
    """Django's handler with the short list of middleware."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's
        """Called once, when the process starts."""
        everyone = settings.MIDDLEWARE
        settings.MIDDLEWARE = MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = everyone
