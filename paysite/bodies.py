"""Refuses bodies that are too long before anything reads them.

Django bounds forms but not files inside them: it would write those of any stranger to disk, on
every page that looks at a form.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

DIGITS_MAX: Final = 20
"""More digits than any length has: the first of them say enough."""


def no_longer_than_allowed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: 413 for what announces more than DATA_UPLOAD_MAX_MEMORY_SIZE.

    A body that announces no length is not read at all.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        longest: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if announced.isdecimal() and int(announced[:DIGITS_MAX]) > longest:
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return get_response(request)

    return answer
