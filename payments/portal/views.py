"""The merchant's pages: who, what was asked for, one query, and the page."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from merchants.access import MerchantAccess
from merchants.accounts.abilities import EVENTS_READ, PAYMENTS_READ
from merchants.portal.session import frame_of, portal_page
from payments.acquiring.queries import PaymentUnknown, get_payment
from payments.acquiring.timeline import merchant_story
from payments.callbacks.queries import EventFilter, list_events
from payments.portal.asked import key_in, wanted_in
from payments.portal.day import day_page
from payments.portal.refund_pages import refund_form, refund_rows
from payments.portal.rows import callback_row, event_row, find_rows, payment_row

PAGE: Final = 30
LATEST: Final = 8


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def home(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The day: what needs somebody, how it goes, and the latest payments."""
    context = {**frame_of(access), **day_page(access, at=timezone.now(), latest=LATEST)}
    return render(request, "portal/payments/home.html", context)


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def payments(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Payments, newest first; of one state, or those that carry a number."""
    wanted = wanted_in(request.GET)
    rows, older = find_rows(access, wanted, limit=PAGE)
    context = {**frame_of(access), "wanted": wanted, "rows": rows, "older": wanted.page(older)}
    return render(request, "portal/payments/list.html", context)


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def payment(request: HttpRequest, access: MerchantAccess, payment: str) -> HttpResponse:
    """One payment. Another merchant's number answers like one that does not exist."""
    try:
        facts = get_payment(access, payment)
        story = merchant_story(access, payment)
    except PaymentUnknown:
        raise Http404 from None
    context = {
        **frame_of(access),
        "row": payment_row(facts),
        "timeline": story.timeline,
        "callbacks": [callback_row(callback) for callback in story.callbacks],
        **refund_rows(access, payment=payment),
        "refund_form": refund_form(access, facts),
    }
    return render(request, "portal/payments/payment.html", context)


@never_cache
@require_safe
@portal_page(EVENTS_READ)
def callbacks(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """What the merchant's program was told, and whether it heard."""
    before = key_in(request.GET)
    page = list_events(access, EventFilter(), before=before, limit=PAGE)
    context = {
        **frame_of(access),
        "rows": [event_row(event) for event in page.events],
        "older": f"?before={page.next_before}" if page.next_before else "",
        "is_first": not before,
    }
    return render(request, "portal/payments/callbacks.html", context)
