"""Gives each request a number, and tells in one line what became of it."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.utils.html import escape

from compliance.trace import is_request_id, new_request_id, request_id, traced

log: Final = logging.getLogger("paysite.requests")

HEADER: Final = "X-Request-Id"
UNTOLD: Final = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by programs that remember the answers themselves."""


def numbered(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, the first of all: whatever answers, its number is in the answer and in each line
    that was written meanwhile.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        number = _number_of(request)
        request.request_id = number  # type: ignore[attr-defined]
        with traced(request_id=number, method=request.method, path=request.path):
            response = get_response(request)
            response.headers[HEADER] = number
            if settings.ACCESS_LOG and request.path not in UNTOLD:
                took = round((time.perf_counter() - started) * 1000, 1)
                facts = {"status": response.status_code, "duration_ms": took}
                log.info("answered", extra=facts)
        return response

    return answer


def _number_of(request: HttpRequest) -> str:
    """Only a proxy of ours may choose a number; without one, anybody could."""
    if settings.TRUSTED_PROXIES and is_request_id(told := request.headers.get(
        settings.REQUEST_ID_HEADER, ""
    )):  # fmt: skip
        return told
    return new_request_id()


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500, with the number by which support finds the fault in the logs."""
    try:
        page = loader.get_template("500.html").render({"request_id": request_id()})
    except Exception:  # Even the page about faults may be at fault: then without its looks.
        log.exception("the page about faults cannot be shown")
        page = f"<h1>500</h1><p>{escape(request_id())}</p>"
    return HttpResponse(page, status=HTTPStatus.INTERNAL_SERVER_ERROR)
