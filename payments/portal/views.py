"""The merchant's pages: who, what was asked for, one query, and the page."""

from typing import Final, cast

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from compliance.limits import TooMany, spend
from merchants.access import MerchantAccess
from merchants.accounts.abilities import PAYMENTS_READ
from merchants.portal.session import frame_of, portal_page
from payments.acquiring.exporting import CONTENT_TYPE, file_headers, take_out_own
from payments.acquiring.facts import facts_of
from payments.acquiring.queries import PaymentUnknown, get_payment
from payments.acquiring.sieve import read_sieve
from payments.acquiring.states import PaymentState
from payments.acquiring.timeline import merchant_story, method_label
from payments.channels.registry import methods
from payments.portal.asked import wanted_in, ways_from
from payments.portal.day import day_page
from payments.portal.deed_pages import deeds_for
from payments.portal.refund_pages import refund_form, refund_rows
from payments.portal.rows import callback_row, find_page, payment_row
from payments.routing.queries import channels_of

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
    """Payments, newest first; narrowed, or those that carry a number."""
    wanted = wanted_in(request.GET, access)
    page = find_page(access, wanted, size=PAGE)
    context = {
        **frame_of(access),
        "wanted": wanted,
        "rows": [payment_row(facts_of(payment)) for payment in page.rows],
        "is_cut": page.is_cut,
        "ways": ways_from(wanted, page),
        "statuses": PaymentState.choices,
        "methods": [(code, method_label(code)) for code in methods()],
        "channels": [(one.code, one.name) for one in channels_of(livemode=access.livemode)],
    }
    return render(request, "portal/payments/list.html", context)


@require_POST
@portal_page(PAYMENTS_READ)
def export(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The narrowed list as a file, however many pages it fills."""
    sieve, at = read_sieve(request.POST, livemode=access.livemode), timezone.now()
    try:
        spend("payment.export", access.actor.id)
    except TooMany as much:
        text = _("That was often. Wait %(seconds)d seconds.") % {"seconds": much.wait_seconds}
        messages.warning(request, text)
        return redirect("payments_portal:payments")
    pieces = take_out_own(access, sieve, at=at)
    answer = StreamingHttpResponse(pieces, content_type=CONTENT_TYPE, headers=file_headers(at))
    return cast("HttpResponse", answer)


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
        "deeds": deeds_for(access, facts),
    }
    return render(request, "portal/payments/payment.html", context)
