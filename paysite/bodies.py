"""Refuses bodies that are too long before anything reads them.

Django bounds forms but not files inside them: it would write those of any stranger to disk, on
every page that looks at a form.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from compliance.identity.signin import is_verified

DIGITS_MAX: Final = 20
"""More digits than any length has: the first of them say enough."""


def no_longer_than_allowed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: 413 for what announces more than DATA_UPLOAD_MAX_MEMORY_SIZE, or on a page that
    takes files, more than those may have.

    A body that announces no length is not read at all.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        longest: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.path_info.startswith(settings.FILE_PAGES):
            longest = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        return _too_long() if _announced(request) > longest else get_response(request)

    return answer


def files_only_of_known_people(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, after the session is known and before anything reads the body: a stranger sends
    no files, also not to the pages that take them.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        is_long = _announced(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return _too_long() if is_long and not is_verified(request) else get_response(request)

    return answer


def _announced(request: HttpRequest) -> int:
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced[:DIGITS_MAX]) if announced.isdecimal() else 0


def _too_long() -> HttpResponse:
    return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
