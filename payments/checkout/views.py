"""The hosted checkout: the page, its live status, and the way back from a gateway.

Customers are anonymous and carry no session. Whoever knows the token in the address may pick a
method, and nobody else can; a CSRF token would add nothing to that, so the forms have none and the
page sets no cookie (only the language switch sets one, when it is used). The address is a secret:
responses are not stored, and other sites learn our origin at most.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Final, ParamSpec

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from compliance.identity.address import client_address
from payments.acquiring.attempts import (
    MethodUnavailable,
    PaymentNotPayable,
    PreviousUnresolved,
    ask_gateway,
    choose_method,
)
from payments.acquiring.queries import (
    PaymentUnknown,
    checkout_status,
    find_checkout,
)
from payments.acquiring.tokens import TokenForged
from payments.checkout.device import device_of
from payments.checkout.scenes import page_of
from payments.errors import Refusal

METHOD_CHARACTERS_MAX: Final = 32
LANGUAGE_COOKIE_SECONDS: Final = 365 * 24 * 3600

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def private(view: View[P]) -> View[P]:
    """Nothing is kept by anybody, and only our origin is told to where the customer goes next.

    The origin must be told: WeChat's H5 page refuses visitors who come from nowhere.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, token: str) -> HttpResponseBase:
    """The page (GET), and the customer's choice of a method (POST). Works without JavaScript."""
    if language := request.GET.get("lang", ""):
        return _remember_language(request, language)
    if request.method != "POST":
        return _page(request, token)
    try:
        choose_method(
            token=token,
            method=request.POST.get("method", "")[:METHOD_CHARACTERS_MAX],
            device=device_of(request.headers.get("User-Agent", "")),
            client_ip=client_address(request),
            at=timezone.now(),
        )
    except (MethodUnavailable, PaymentNotPayable, PreviousUnresolved) as refusal:
        return _page(request, token, problem=refusal)
    except (TokenForged, PaymentUnknown):
        return _no_such_page()
    return _to_page(token)


@private
@require_GET
def status(request: HttpRequest, token: str) -> HttpResponseBase:
    """Where the payment stands, for the waiting page. Two short reads and no call to a gateway."""
    try:
        now = checkout_status(token=token, at=timezone.now())
    except (TokenForged, PaymentUnknown) as refusal:
        return JsonResponse({"code": refusal.code}, status=HTTPStatus.NOT_FOUND)
    return JsonResponse(
        {
            "status": now.status,
            "is_expired": now.is_expired,
            "attempt": now.attempt or None,
            "attempt_state": now.attempt_state or None,
        }
    )


@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest, token: str) -> HttpResponseBase:
    """A browser returns from a gateway, or its customer says "I have paid".

    Whatever the request carries is ignored: anybody can type it. The gateway is asked instead.
    """
    try:
        ask_gateway(token=token, at=timezone.now())
    except (TokenForged, PaymentUnknown):
        return _no_such_page()
    return _to_page(token, "?back=1")


def _page(request: HttpRequest, token: str, problem: Refusal | None = None) -> HttpResponseBase:
    at = timezone.now()
    try:
        checkout = find_checkout(token=token, at=at)
    except (TokenForged, PaymentUnknown):
        return _no_such_page()
    page = page_of(checkout, user_agent=request.headers.get("User-Agent", ""), at=at)
    context = {
        "checkout": checkout,
        "page": page,
        "path": reverse("checkout:pay", args=[token]),
        "problem": problem.code if problem else "",
        "is_back": "back" in request.GET,
    }
    answer = _render(
        "checkout/page.html", context, HTTPStatus.CONFLICT if problem else HTTPStatus.OK
    )
    if not page.form_origins:
        return answer
    return csp_update({"form-action": list(page.form_origins)})(lambda _request: answer)(request)


def _render(template: str, context: dict[str, Any], status: HTTPStatus) -> HttpResponse:
    """Without the request: no context processor is needed, and none is paid for."""
    return HttpResponse(render_to_string(template, context), status=status)


def _no_such_page() -> HttpResponse:
    """One answer to a forged address, a mistyped one, and one of a payment that is not there."""
    return _render("checkout/unknown.html", {}, HTTPStatus.NOT_FOUND)


def _to_page(token: str, query: str = "") -> HttpResponse:
    """303, so that a reload of the page repeats nothing."""
    response = redirect("checkout:pay", token=token)
    response.status_code = HTTPStatus.SEE_OTHER
    response["Location"] += query
    return response


def _remember_language(request: HttpRequest, language: str) -> HttpResponse:
    """Keep the wished language in the usual cookie and show the page without the parameter."""
    response = redirect(request.path)
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=LANGUAGE_COOKIE_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
