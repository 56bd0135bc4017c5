"""Pages that may be asked only so often."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

from compliance.limits import TooMany, give_back, spend

View = Callable[..., HttpResponseBase]


def counts_always(answer: HttpResponseBase) -> bool:
    """For pages where each request is a deed, whatever is answered."""
    return False


def leads_on(answer: HttpResponseBase) -> bool:
    """For forms that send whoever typed the right thing on. Back to the sign-in goes who has not
    even begun, and that counts like a wrong guess.
    """
    if answer.status_code != HTTPStatus.FOUND:
        return False
    return urlsplit(answer["Location"]).path != reverse("identity:signin")


def is_accepted(answer: HttpResponseBase) -> bool:
    """For what scripts send: anything but a refusal."""
    return answer.status_code == HTTPStatus.OK


def limited(
    limit: str, doer: Callable[..., str], *, methods: frozenset[str] = frozenset({"POST"}),
    forgiven: Callable[[HttpResponseBase], bool] = counts_always,
) -> Callable[[View], View]:  # fmt: skip
    """Decorate a page: requests with these methods are counted, `doer` says for whom.

    A HEAD is a GET without its body, and counts as one. `doer` is called like the view. Too many
    are answered with 429 and a page that says when to try again. What `forgiven` says of the answer
    is uncounted: where guesses are counted by address, a whole office that types the right codes
    must not lock itself out.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            method = "GET" if request.method == "HEAD" else request.method
            if method not in methods:
                return view(request, *args, **kwargs)
            who = doer(request, *args, **kwargs)
            try:
                spend(limit, who)
            except TooMany as refusal:
                return too_many(refusal)
            answer = view(request, *args, **kwargs)
            if forgiven(answer):
                give_back(limit, who)
            return answer

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
