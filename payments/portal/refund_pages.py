"""The merchant's refunds: the list, asking for one, and letting a program's refund go."""

import secrets
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from compliance.identity.models import User
from compliance.identity.signin import person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from merchants.access import MerchantAccess
from merchants.accounts.abilities import PAYMENTS_READ, REFUNDS_WRITE
from merchants.accounts.queries import merchant_name
from merchants.portal.session import frame_of, portal_page
from payments.acquiring.asking import RefundWish
from payments.acquiring.facts import PaymentFacts
from payments.acquiring.queries import PaymentUnknown, get_payment
from payments.acquiring.refund_approving import refuse_refund, release_refund
from payments.acquiring.refund_facts import RefundFacts
from payments.acquiring.refund_queries import (
    RefundFilter,
    RefundUnknown,
    get_refund,
    list_refunds,
)
from payments.acquiring.refund_words import refund_told, typed_wish
from payments.acquiring.refunding import request_refund
from payments.errors import Refusal
from payments.money import Money
from payments.portal.asked import key_in

PAGE: Final = 30
REASON_MAX: Final = 200
TONES: Final = {
    "awaiting_approval": "warn", "processing": "info", "succeeded": "ok", "failed": "bad",
    "rejected": "bad",
}  # fmt: skip


def refund_rows(access: MerchantAccess, *, payment: str = "", before: int = 0) -> dict[str, Any]:
    """Refunds as pages show them, with the key of the next page (0: there is none)."""
    page = list_refunds(access, RefundFilter(payment=payment), before=before, limit=PAGE)
    return {
        "refunds": [(one, TONES[one.status]) for one in page.refunds],
        "older": page.next_before,
    }


def refund_form(access: MerchantAccess, facts: PaymentFacts) -> dict[str, Any]:
    """What the form on a payment's page needs; empty for who may not, or when nothing is left."""
    if REFUNDS_WRITE not in access.abilities or facts.status != "paid":
        return {}
    if facts.amount_refundable.minor <= 0:
        return {}
    return {"number": f"portal-{secrets.token_hex(8)}", "left": facts.amount_refundable}


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def refunds(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """All refunds, newest first."""
    before = key_in(request.GET)
    context = {"is_first": not before, **refund_rows(access, before=before)}
    return render(request, "portal/payments/refunds.html", {**frame_of(access), **context})


@require_POST
@portal_page(REFUNDS_WRITE)
def ask(request: HttpRequest, access: MerchantAccess, payment: str) -> HttpResponse:
    """Refund a payment, after the second factor for just this amount."""
    try:
        facts = get_payment(access, payment)
    except PaymentUnknown:
        raise Http404 from None
    page = reverse("payments_portal:payment", args=[payment])
    try:
        wish = typed_wish(
            number=request.POST.get("number", ""), amount=request.POST.get("amount", ""),
            reason=request.POST.get("reason", ""), currency=facts.amount.currency,
        )  # fmt: skip
        if answer := requires_step_up(request, _wanted(access, facts, wish), back=page):
            return answer
        made = request_refund(
            access=access, payment=payment, wish=wish, by=_person(request), at=timezone.now()
        )
    except Refusal as refusal:
        messages.error(request, refund_told(refusal, currency=facts.amount.currency))
        return redirect(page)
    if made.refund.status == "awaiting_approval":
        messages.success(request, _("The refund waits for a colleague, who was written to."))
    else:
        messages.success(request, _("The refund is on its way."))
    return redirect(page)


@require_POST
@portal_page(REFUNDS_WRITE)
def decide(request: HttpRequest, access: MerchantAccess, refund: str) -> HttpResponse:
    """Let a program's refund go, or not."""
    deed = request.POST.get("deed", "")
    try:
        facts = get_refund(access, refund)
    except RefundUnknown:
        raise Http404 from None
    if deed not in {"release", "refuse"}:
        raise BadRequest("no such deed")
    page = reverse("payments_portal:payment", args=[facts.payment])
    if deed == "release" and (
        answer := requires_step_up(request, _releasing(access, facts), back=page)
    ):
        return answer
    try:
        messages.success(request, _decide(request, access, refund, deed))
    except Refusal as refusal:
        messages.error(request, refund_told(refusal, currency=facts.amount.currency))
    return redirect(page)


def _decide(request: HttpRequest, access: MerchantAccess, refund: str, deed: str) -> str:
    if deed == "release":
        release_refund(access=access, refund=refund, by=_person(request), at=timezone.now())
        return _("The refund is on its way.")
    reason = request.POST.get("reason", "")[:REASON_MAX]
    refuse_refund(access=access, refund=refund, reason=reason, at=timezone.now())
    return _("The refund was refused. Nothing goes back.")


def _wanted(access: MerchantAccess, facts: PaymentFacts, wish: RefundWish) -> Deed:
    amount = Money(wish.amount_minor, facts.amount.currency)
    return Deed(
        purpose="refund.request", title=_("Refund a payment"),
        facts=(
            Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access)),
            Fact("payment", _("Payment"), facts.id),
            Fact("number", "", wish.merchant_refund_no),
            Fact("amount", _("Amount"), str(wish.amount_minor), shown=str(amount)),
            Fact("reason", _("Reason"), wish.reason),
        ),
    )  # fmt: skip


def _releasing(access: MerchantAccess, facts: RefundFacts) -> Deed:
    return Deed(
        purpose="refund.release", title=_("Release a refund"),
        facts=(
            Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access)),
            Fact("refund", _("Refund"), facts.id),
            Fact("payment", _("Payment"), facts.payment),
            Fact("amount", _("Amount"), str(facts.amount.minor), shown=str(facts.amount)),
        ),
    )  # fmt: skip


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise Http404
    return person
