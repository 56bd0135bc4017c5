"""The portal's pages about tickets: the merchant's list, a new one, and the talk with support."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.limited import too_many
from compliance.identity.models import User
from compliance.identity.signin import person_of
from compliance.limits import TooMany, spend
from merchants.access import MerchantAccess
from merchants.accounts.abilities import TICKETS_READ, TICKETS_WRITE
from merchants.errors import MerchantRefusal
from merchants.help.forms import MessageForm, TicketForm, first_typed
from merchants.portal.session import frame_of, portal_page
from merchants.support.answering import answer
from merchants.support.asking import open_ticket
from merchants.support.ending import reopen, resolve
from merchants.support.queries import list_tickets, talk_of
from merchants.support.refusals import TicketUnknown
from merchants.support.sides import Side, side_of_merchant
from merchants.support.words import refusal_told

PAGE: Final = 30
KEY_DIGITS_MAX: Final = 18
DEEDS: Final[dict[str, Callable[..., Any]]] = {"resolve": resolve, "reopen": reopen}


@never_cache
@require_safe
@portal_page(TICKETS_READ)
def tickets(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The merchant's tickets, newest first."""
    text = request.GET.get("before", "")
    is_key = text.isascii() and text.isdecimal() and len(text) <= KEY_DIGITS_MAX
    before = int(text) if is_key else 0
    rows, older = list_tickets(_side(request, access), before=before, limit=PAGE)
    context = {
        **frame_of(access), "tickets": rows, "older": f"?before={older}" if older else "",
        "is_first": not before,
    }  # fmt: skip
    return render(request, "portal/tickets/list.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(TICKETS_WRITE)
def new(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Ask support."""
    form = TicketForm(request.POST or None, initial=first_typed(request.GET))
    if form.is_valid():
        said = form.cleaned_data
        try:
            spend("ticket.portal", access.merchant)
            made = open_ticket(
                access=access, by=_person(request), subject=said["subject"], text=said["text"],
                payment=said["payment"], at=timezone.now(),
            )  # fmt: skip
        except TooMany as refusal:
            return too_many(refusal)
        except MerchantRefusal as refusal:
            form.add_error(None, refusal_told(refusal))
        else:
            messages.success(request, _("Your question is with support."))
            return redirect("merchants:ticket", made.public_id)
    return render(request, "portal/tickets/new.html", {**frame_of(access), "form": form})


@never_cache
@require_safe
@portal_page(TICKETS_READ)
def ticket(request: HttpRequest, access: MerchantAccess, ticket: str) -> HttpResponse:
    """One ticket. Another merchant's number answers like one that does not exist."""
    return _talk(request, access, ticket, MessageForm())


@never_cache
@require_POST
@portal_page(TICKETS_WRITE)
def act(request: HttpRequest, access: MerchantAccess, ticket: str) -> HttpResponse:
    """Answer, resolve or reopen."""
    deed, form = request.POST.get("deed", ""), MessageForm(request.POST)
    who: dict[str, Any] = {
        "side": _side(request, access), "ticket": ticket, "actor": access.actor,
        "at": timezone.now(),
    }  # fmt: skip
    try:
        spend("ticket.portal", access.merchant)
        if deed in DEEDS:
            DEEDS[deed](**who)
        elif form.is_valid():
            answer(text=form.cleaned_data["text"], **who)
            messages.success(request, _("Your message is with support."))
        else:
            return _talk(request, access, ticket, form)
    except TooMany as refusal:
        return too_many(refusal)
    except TicketUnknown:
        raise Http404 from None
    except MerchantRefusal as refusal:
        messages.error(request, refusal_told(refusal))
    return redirect("merchants:ticket", ticket)


def _talk(
    request: HttpRequest, access: MerchantAccess, ticket: str, form: MessageForm
) -> HttpResponse:
    try:
        talk = talk_of(_side(request, access), ticket)
    except TicketUnknown:
        raise Http404 from None
    context = {**frame_of(access), "talk": talk, "form": form}
    return render(request, "portal/tickets/ticket.html", context)


def _side(request: HttpRequest, access: MerchantAccess) -> Side:
    return side_of_merchant(access, _person(request))


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise Http404
    return person
