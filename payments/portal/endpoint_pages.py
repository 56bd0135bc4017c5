"""The pages on which a merchant's people manage endpoints and the secrets that sign for them."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from merchants.access import MerchantAccess
from merchants.accounts.abilities import ENDPOINTS_MANAGE, EVENTS_READ
from merchants.accounts.callback_secret import rotate_callback_secret
from merchants.accounts.queries import merchant_name
from merchants.portal.session import frame_of, portal_page
from payments.callbacks.deliveries import deliveries_to, list_endpoints
from payments.callbacks.endpoints import (
    EndpointUnknown,
    EndpointWish,
    change_endpoint,
    make_endpoint,
    own_endpoint,
    rotate_endpoint_secret,
)
from payments.callbacks.models import CallbackState, Endpoint
from payments.callbacks.states import EndpointModes
from payments.callbacks.switching import disable_endpoint, enable_endpoint, remove_endpoint
from payments.callbacks.testing import send_test
from payments.errors import Refusal
from payments.portal.asked import key_in
from payments.portal.endpoint_words import endpoint_row, refusal_words, type_label
from payments.portal.forms import EndpointForm
from payments.portal.rows import callback_row

PAGE: Final = 30
WHEN: Final = ("day", "now")
"""When an old secret stops to sign along."""


@never_cache
@require_safe
@portal_page(EVENTS_READ)
def endpoints(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The merchant's endpoints."""
    rows = [endpoint_row(endpoint) for endpoint in list_endpoints(access)]
    return render(request, "portal/payments/endpoints.html", {**frame_of(access), "rows": rows})


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(ENDPOINTS_MANAGE)
def new_endpoint(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Name an address. Its secret is shown on the answer and never again."""
    modes = EndpointModes.LIVE if access.livemode else EndpointModes.ALL
    form = EndpointForm(request.POST or None, initial={"modes": modes})
    if form.is_valid():
        wish = form.wish()
        try:
            wish.check()
            deed = _deed(access, "endpoint.make", _("Name a callback endpoint"), *_said(wish))
            if answer := requires_step_up(request, deed):
                return answer
            endpoint, secret = make_endpoint(
                merchant_id=access.merchant_id, wish=wish, actor=access.actor, at=timezone.now()
            )
        except Refusal as refusal:
            form.add_error(None, refusal_words(refusal))
        else:
            return _secret(request, access, secret, page=_page_of(endpoint), label=endpoint.label)
    context = {**frame_of(access), "form": form}
    return render(request, "portal/payments/endpoint_form.html", context)


@never_cache
@require_safe
@portal_page(EVENTS_READ)
def endpoint(request: HttpRequest, access: MerchantAccess, endpoint: str) -> HttpResponse:
    """One endpoint, what can be done with it, and the log of what was sent there."""
    row = _own(access, endpoint)
    before, state = key_in(request.GET), request.GET.get("state", "")
    state = state if state in CallbackState.values else ""
    log = deliveries_to(access, endpoint, state=state, before=before, limit=PAGE)
    kept = f"state={state}&" if state else ""
    context = {
        **frame_of(access),
        "row": endpoint_row(row),
        "callbacks": [callback_row(callback) for callback in log.callbacks],
        "states": CallbackState.choices,
        "state": state,
        "newest": f"?{kept}" if before else "",
        "older": f"?{kept}before={log.next_before}" if log.next_before else "",
        "now": timezone.now(),
    }
    return render(request, "portal/payments/endpoint.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(ENDPOINTS_MANAGE)
def edit_endpoint(request: HttpRequest, access: MerchantAccess, endpoint: str) -> HttpResponse:
    """Change an endpoint; another address takes the second factor."""
    row = _own(access, endpoint)
    form = EndpointForm(request.POST or None, initial=EndpointForm.said_of(row))
    if form.is_valid():
        wish = form.wish()
        try:
            wish.check()
            if wish.url != row.url and (
                answer := requires_step_up(request, _move(access, row, wish))
            ):
                return answer
            change_endpoint(access=access, endpoint=endpoint, wish=wish, at=timezone.now())
        except Refusal as refusal:
            form.add_error(None, refusal_words(refusal))
        else:
            messages.success(request, _("The endpoint is changed."))
            return redirect(_page_of(row))
    context = {**frame_of(access), "form": form, "endpoint": row}
    return render(request, "portal/payments/endpoint_form.html", context)


@require_POST
@portal_page(ENDPOINTS_MANAGE)
def rotate(request: HttpRequest, access: MerchantAccess, endpoint: str) -> HttpResponse:
    """Replace an endpoint's secret, after the second factor."""
    row, is_at_once = _own(access, endpoint), _is_at_once(request)
    deed = _deed(
        access, "endpoint.rotate", _("Replace the secret of an endpoint"),
        Fact("endpoint", _("Endpoint"), row.public_id, shown=row.label), _end_of_old(is_at_once),
    )  # fmt: skip
    if answer := requires_step_up(request, deed, back=_page_of(row)):
        return answer
    secret = rotate_endpoint_secret(
        access=access, endpoint=endpoint, is_at_once=is_at_once, at=timezone.now()
    )
    return _secret(request, access, secret, page=_page_of(row), label=row.label)


@require_POST
@portal_page(ENDPOINTS_MANAGE)
def rotate_default(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Replace the merchant's default secret, after the second factor."""
    page, is_at_once = reverse("payments_portal:endpoints"), _is_at_once(request)
    deed = _deed(
        access, "callback_secret.rotate", _("Replace the default secret"), _end_of_old(is_at_once)
    )
    if answer := requires_step_up(request, deed, back=page):
        return answer
    secret = rotate_callback_secret(
        merchant_id=access.merchant_id, actor=access.actor, at=timezone.now(),
        is_at_once=is_at_once,
    )  # fmt: skip
    return _secret(request, access, secret, page=page, label=_("Default secret"))


@require_POST
@portal_page(ENDPOINTS_MANAGE)
def switch(request: HttpRequest, access: MerchantAccess, endpoint: str) -> HttpResponse:
    """Switch an endpoint on or off, or remove it."""
    row = _own(access, endpoint)
    deeds: dict[str, tuple[Callable[..., Endpoint], str]] = {
        "disable": (disable_endpoint, _("Nothing is sent there any more.")),
        "enable": (enable_endpoint, _("What happens from now on is sent there again.")),
        "remove": (remove_endpoint, _("The endpoint is removed.")),
    }
    name = request.POST.get("deed", "")
    if name not in deeds:
        raise BadRequest("no such deed")
    verb, told = deeds[name]
    try:
        verb(access=access, endpoint=endpoint, at=timezone.now())
    except EndpointUnknown:
        raise Http404 from None
    except Refusal as refusal:
        messages.error(request, refusal_words(refusal))
    else:
        messages.success(request, told)
    return redirect("payments_portal:endpoints") if name == "remove" else redirect(_page_of(row))


@require_POST
@portal_page(ENDPOINTS_MANAGE)
def test(request: HttpRequest, access: MerchantAccess, endpoint: str) -> HttpResponse:
    """Send a test, and go where its answer is shown."""
    row = _own(access, endpoint)
    try:
        event = send_test(access=access, endpoint=endpoint, at=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal_words(refusal))
        return redirect(_page_of(row))
    return redirect("payments_portal:event", event.public_id)


def _own(access: MerchantAccess, endpoint: str) -> Endpoint:
    try:
        return own_endpoint(access, endpoint)
    except EndpointUnknown:
        raise Http404 from None


def _page_of(row: Endpoint) -> str:
    return reverse("payments_portal:endpoint", args=[row.public_id])


def _secret(
    request: HttpRequest, access: MerchantAccess, secret: str, *, page: str, label: str
) -> HttpResponse:
    """The only answer that shows a secret."""
    context = {**frame_of(access), "secret": secret, "page": page, "label": label}
    return render(request, "portal/payments/endpoint_secret.html", context, status=201)


def _is_at_once(request: HttpRequest) -> bool:
    when = request.POST.get("when", "")
    if when not in WHEN:
        raise BadRequest("no such time")
    return when == "now"


def _end_of_old(is_at_once: bool) -> Fact:  # noqa: FBT001
    shown = _("at once") if is_at_once else _("after 24 hours")
    return Fact("old_ends", _("The old secret ends"), str(is_at_once), shown=shown)


def _move(access: MerchantAccess, row: Endpoint, wish: EndpointWish) -> Deed:
    return _deed(
        access, "endpoint.move", _("Change the address of an endpoint"),
        Fact("endpoint", _("Endpoint"), row.public_id, shown=row.label),
        Fact("before", _("Address until now"), row.url), *_said(wish),
    )  # fmt: skip


def _said(wish: EndpointWish) -> tuple[Fact, ...]:
    types = ", ".join(type_label(kind) for kind in wish.event_types) or _("All")
    return (
        Fact("label", _("Label"), wish.label),
        Fact("url", _("Address"), wish.url),
        Fact("types", _("Events"), " ".join(sorted(wish.event_types)), shown=types),
        Fact("modes", _("Which payments?"), str(wish.modes), shown=str(wish.modes.label)),
        Fact("fallback", "", str(wish.is_fallback)),
    )


def _deed(access: MerchantAccess, purpose: str, title: str, *facts: Fact) -> Deed:
    """What somebody confirms."""
    of = Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access))
    return Deed(purpose=purpose, title=title, facts=(of, *facts))
