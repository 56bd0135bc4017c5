"""The log of what the merchant was told, and sending parts of it again."""

from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchants.access import MerchantAccess
from merchants.accounts.abilities import ENDPOINTS_MANAGE, EVENTS_READ
from merchants.portal.session import frame_of, portal_page
from payments.callbacks.deliveries import event_with_deliveries
from payments.callbacks.endpoints import EndpointUnknown, own_endpoint
from payments.callbacks.models import TEST, CallbackState, EventType
from payments.callbacks.queries import EventFilter, EventUnknown, list_events
from payments.callbacks.resending import (
    RANGE_MAX,
    CallbackUnknown,
    Span,
    count_span,
    resend_callback,
    resend_span,
)
from payments.callbacks.signing import body_of
from payments.errors import Refusal
from payments.portal.asked import key_in
from payments.portal.endpoint_words import refusal_words, type_label
from payments.portal.forms import SpanForm
from payments.portal.rows import callback_row, event_row
from payments.times import time_text

PAGE: Final = 30
WATCHED: Final = timedelta(minutes=1)
"""So long the page of a test asks again by itself for the answer."""


@never_cache
@require_safe
@portal_page(EVENTS_READ)
def callbacks(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """What the merchant's program was told, and whether it heard."""
    before, kind = key_in(request.GET), request.GET.get("type", "")
    kind = kind if kind in EventType.values else ""
    page = list_events(access, EventFilter(type=kind), before=before, limit=PAGE)
    kept: dict[str, str | int] = {"type": kind} if kind else {}
    context = {
        **frame_of(access),
        "rows": [event_row(event) for event in page.events],
        "types": EventType.choices,
        "type": kind,
        "newest": f"?{urlencode(kept)}" if before else "",
        "older": f"?{urlencode({**kept, 'before': page.next_before})}" if page.next_before else "",
    }
    return render(request, "portal/payments/callbacks.html", context)


@never_cache
@require_safe
@portal_page(EVENTS_READ)
def event(request: HttpRequest, access: MerchantAccess, event: str) -> HttpResponse:
    """One event: what it says, where it went, and what was answered."""
    try:
        row, sent = event_with_deliveries(access, event)
    except EventUnknown:
        raise Http404 from None
    body = body_of(
        event=row.public_id, kind=row.type, created_at=time_text(row.created_at), data=row.data
    )
    is_open = any(callback.state == CallbackState.PENDING for callback in sent)
    context = {
        **frame_of(access),
        "event": row,
        "what": type_label(row.type),
        "body": body.decode(),
        "callbacks": [callback_row(callback) for callback in sent],
        "is_test": row.type == TEST,
        "is_watched": row.type == TEST and is_open and timezone.now() - row.created_at < WATCHED,
    }
    return render(request, "portal/payments/event.html", context)


@require_POST
@portal_page(ENDPOINTS_MANAGE)
def resend(request: HttpRequest, access: MerchantAccess, callback: int) -> HttpResponse:
    """Send one callback again."""
    try:
        event = resend_callback(access=access, callback=callback, at=timezone.now())
    except CallbackUnknown:
        raise Http404 from None
    except Refusal as refusal:
        messages.error(request, refusal_words(refusal))
        return redirect("payments_portal:callbacks")
    messages.success(request, _("It is sent again now."))
    return redirect("payments_portal:event", event.public_id)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(ENDPOINTS_MANAGE)
def resend_range(request: HttpRequest, access: MerchantAccess, endpoint: str) -> HttpResponse:
    """Send a span again: how many events it has is shown first, and confirmed."""
    try:
        row = own_endpoint(access, endpoint)
    except EndpointUnknown:
        raise Http404 from None
    now = timezone.localtime().replace(second=0, microsecond=0)
    begin = {"since": now - timedelta(days=1), "until": now, "which": "missed"}
    form = SpanForm(request.POST or None, initial=begin)
    count = None
    if form.is_valid():
        try:
            if "send" in request.POST:
                return _send(request, access, endpoint, form.span())
            count = count_span(access, endpoint, form.span())
        except Refusal as refusal:
            form.add_error(None, refusal_words(refusal))
    context = {
        **frame_of(access), "endpoint": row, "form": form, "count": count,
        "is_too_many": (count or 0) > RANGE_MAX, "most": RANGE_MAX,
    }  # fmt: skip
    return render(request, "portal/payments/resend.html", context)


def _send(request: HttpRequest, access: MerchantAccess, endpoint: str, span: Span) -> HttpResponse:
    sent = resend_span(access=access, endpoint=endpoint, span=span, at=timezone.now())
    told = ngettext("%(count)d event is sent again.", "%(count)d events are sent again.", sent)
    messages.success(request, told % {"count": sent})
    return redirect(reverse("payments_portal:endpoint", args=[endpoint]))
