"""The short way through Django for machines: no session, no cookies, no forms, no pages.

Programs of merchants and gateways prove themselves in each message. What browsers need (sessions,
CSRF, language, messages, lock-out of sign-ins) costs more than the rest of their requests together.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponseBase

PATHS: Final = ("/api/v1/", "/notify/", "/healthz", "/readyz")
"""What machines call."""

MIDDLEWARE: Final = [
    "django.middleware.security.SecurityMiddleware",
    "paysite.machine.nothing_to_run",
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
        return response

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
