"""Answers that take as long for an address that nobody has as for one that somebody has."""

from collections.abc import Callable
from functools import wraps
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]


def evenly(view: View) -> View:
    """Decorate a page that does more for people it knows: what is sent to it is answered after
    EVEN_ANSWER_SECONDS, whatever was done. A letter takes some milliseconds to write.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        began = monotonic()
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            sleep(max(0.0, settings.EVEN_ANSWER_SECONDS - (monotonic() - began)))
        return response

    return answer
