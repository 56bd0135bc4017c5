"""What the staff do on a payment's page besides giving money back: ask its gateway, close it."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.identity.models import User
from compliance.identity.roles import ABILITIES, Ability, may, roles_of
from compliance.identity.signin import actor_of, person_of
from compliance.limits import TooMany, spend
from payments.acquiring.asking import AskInvalid
from payments.acquiring.deed_words import TONES, closing_told, deed_told, heard_told
from payments.acquiring.enquiring import ask_now_by_staff
from payments.acquiring.models import Payment
from payments.acquiring.pay import CLOSE_REASON_MAX, close_payment_by_staff
from payments.acquiring.states import PaymentState
from payments.errors import Refusal

LEVELS: Final = {"ok": messages.SUCCESS, "info": messages.INFO, "warn": messages.WARNING}


def deeds_for(person: User | None, payment: Payment) -> frozenset[str]:
    """What the reader may do with this payment now: `ask`, `close`."""
    if person is None:
        return frozenset()
    held = {ability for role in roles_of(person) for ability in ABILITIES[role]}
    deeds = {"ask"} if Ability.PAYMENTS_ASK in held else set()
    if payment.state == PaymentState.PENDING and Ability.PAYMENTS_CLOSE in held:
        deeds.add("close")
    return frozenset(deeds)


def ask(request: HttpRequest, row: int) -> HttpResponse:
    """Ask the gateway now, and say what it said."""
    person, payment = _both(request, row, Ability.PAYMENTS_ASK)
    try:
        spend("payment.ask", f"staff {person.pk}")
        heard = ask_now_by_staff(
            payment=payment.public_id, actor=actor_of(request), at=timezone.now()
        )
    except Refusal as refusal:
        messages.warning(request, deed_told(refusal))
    except TooMany as much:
        text = _("That was often. Wait %(seconds)d seconds.") % {"seconds": much.wait_seconds}
        messages.warning(request, text)
    else:
        for one in heard:
            messages.add_message(request, LEVELS[TONES[one.said]], heard_told(one))
    return redirect(_page(row))


def close(request: HttpRequest, row: int) -> HttpResponse:
    """Close a payment that waits, at its gateway first."""
    _person, payment = _both(request, row, Ability.PAYMENTS_CLOSE)
    try:
        facts = close_payment_by_staff(
            payment=payment.public_id, reason=request.POST.get("reason", "").strip(),
            actor=actor_of(request), at=timezone.now(),
        )  # fmt: skip
    except AskInvalid:
        text = _("Write down why, in at most %(max)d characters.") % {"max": CLOSE_REASON_MAX}
        messages.error(request, text)
    except Refusal as refusal:
        messages.warning(request, deed_told(refusal))
    else:
        tone, text = closing_told(facts.status)
        messages.add_message(request, LEVELS[tone], text)
    return redirect(_page(row))


def _both(request: HttpRequest, row: int, ability: Ability) -> tuple[User, Payment]:
    person = person_of(request)
    if person is None or not may(person, ability):
        raise PermissionDenied
    payment = Payment.objects.filter(pk=row).first()
    if payment is None:
        raise Http404
    return person, payment


def _page(row: int) -> str:
    return reverse("admin:payments_payment_change", args=[row])
