"""Pages that may be asked only so often."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from compliance.limits import TooMany, spend

View = Callable[..., HttpResponseBase]


def limited(
    limit: str, doer: Callable[..., str], *, methods: frozenset[str] = frozenset({"POST"})
) -> Callable[[View], View]:
    """Decorate a page: requests with these methods are counted, `doer` says for whom.

    A HEAD is a GET without its body, and counts as one. `doer` is called like the view. Too many
    are answered with 429 and a page that says when to try again.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            method = "GET" if request.method == "HEAD" else request.method
            if method in methods:
                try:
                    spend(limit, doer(request, *args, **kwargs))
                except TooMany as refusal:
                    return too_many(refusal)
            return view(request, *args, **kwargs)

        return counted

    return decorate


def too_many(refusal: TooMany) -> HttpResponse:
    """The page for people who must wait."""
    seconds = refusal.wait_seconds
    page = render_to_string(
        "429.html", {"seconds": seconds, "minutes": -(-seconds // 60), "refusal": refusal}
    )
    status = HTTPStatus.SERVICE_UNAVAILABLE if refusal.is_closed else HTTPStatus.TOO_MANY_REQUESTS
    return HttpResponse(
        page, status=status, headers={"Retry-After": str(seconds), "Cache-Control": "no-store"}
    )
