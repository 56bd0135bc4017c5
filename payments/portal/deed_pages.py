"""What a merchant's people do on a payment's page besides refunds: ask its gateway, close it."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.limits import TooMany, spend
from merchants.access import MerchantAccess
from merchants.accounts.abilities import PAYMENTS_READ, PAYMENTS_WRITE
from merchants.portal.session import portal_page
from payments.acquiring.deed_words import TONES, closing_told, deed_told, heard_told
from payments.acquiring.enquiring import ask_now
from payments.acquiring.facts import PaymentFacts
from payments.acquiring.pay import close_payment
from payments.acquiring.queries import PaymentUnknown
from payments.errors import Refusal

LEVELS: Final = {"ok": messages.SUCCESS, "info": messages.INFO, "warn": messages.WARNING}


def deeds_for(access: MerchantAccess, facts: PaymentFacts) -> frozenset[str]:
    """What the reader may do with this payment now: `ask`, `close`."""
    deeds = {"ask"}
    if facts.status == "pending" and PAYMENTS_WRITE in access.abilities:
        deeds.add("close")
    return frozenset(deeds)


@require_POST
@portal_page(PAYMENTS_READ)
def ask(request: HttpRequest, access: MerchantAccess, payment: str) -> HttpResponse:
    """Ask the gateway now, and say what it said."""
    try:
        spend("payment.ask", access.merchant)
        heard = ask_now(access=access, payment=payment, at=timezone.now())
    except PaymentUnknown:
        raise Http404 from None
    except Refusal as refusal:
        messages.warning(request, deed_told(refusal))
    except TooMany as much:
        text = _("That was often. Wait %(seconds)d seconds.") % {"seconds": much.wait_seconds}
        messages.warning(request, text)
    else:
        for one in heard:
            messages.add_message(request, LEVELS[TONES[one.said]], heard_told(one))
    return redirect("payments_portal:payment", payment)


@require_POST
@portal_page(PAYMENTS_WRITE)
def close(request: HttpRequest, access: MerchantAccess, payment: str) -> HttpResponse:
    """Close a payment that waits, at its gateway first."""
    try:
        facts = close_payment(access=access, payment=payment, at=timezone.now())
    except PaymentUnknown:
        raise Http404 from None
    except Refusal as refusal:
        messages.warning(request, deed_told(refusal))
    else:
        tone, text = closing_told(facts.status)
        messages.add_message(request, LEVELS[tone], text)
    return redirect("payments_portal:payment", payment)
