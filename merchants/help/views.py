"""Help for everybody: pages, search, asking, and the talk behind a customer's link."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from compliance.identity.address import agent_of, client_address
from compliance.identity.limited import too_many
from compliance.limits import TooMany, spend
from merchants.errors import MerchantRefusal
from merchants.help.forms import AskForm, MessageForm, first_typed
from merchants.support.answering import answer
from merchants.support.asking import open_customer_ticket
from merchants.support.ending import reopen, resolve
from merchants.support.guide import GROUPS, QUERY_MAX, find_page, pages, search
from merchants.support.queries import talk_of
from merchants.support.refusals import TicketUnknown
from merchants.support.sides import customer, side_of_customer
from merchants.support.words import refusal_told

DEEDS: Final[dict[str, Callable[..., Any]]] = {"resolve": resolve, "reopen": reopen}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All pages by group, or those in which something was found."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:QUERY_MAX]
    shown = pages(_language())
    groups = [(label, [page for page in shown if page.group == name])
              for name, label in GROUPS.items()]  # fmt: skip
    context = {"wanted": wanted, "groups": groups, "found": search(_language(), wanted)}
    return render(request, "help/index.html", context)


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One page between its neighbours."""
    found = find_page(_language(), slug)
    if found is None:
        raise Http404
    before, shown, after = found
    context = {
        "page": shown, "before": before, "after": after, "pages": pages(_language()),
        "group": GROUPS[shown.group],
    }  # fmt: skip
    return render(request, "help/page.html", context)


@never_cache
@sensitive_post_parameters("email", "text")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask support without a sign-in; a letter brings the link to the answers."""
    form = AskForm(request.POST or None, initial=first_typed(request.GET))
    if form.is_valid():
        said = form.cleaned_data
        try:
            # A form that has to be mended first counts for nothing: only letters do.
            spend("ticket.ask.name", said["email"].casefold())
            open_customer_ticket(
                email=said["email"], language=_language(), subject=said["subject"],
                text=said["text"], payment=said["payment"],
                actor=customer(client_address(request), agent_of(request)), at=timezone.now(),
            )  # fmt: skip
        except TooMany as refusal:
            return too_many(refusal)
        except MerchantRefusal as refusal:
            form.add_error(None, refusal_told(refusal))
        else:
            return render(request, "help/asked.html", {"email": said["email"]}, status=201)
    return render(request, "help/ask.html", {"form": form})


@never_cache
@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
def ticket(request: HttpRequest, secret: str) -> HttpResponse:
    """The talk behind a customer's link. A wrong one answers like any page that is not there."""
    now = timezone.now()
    try:
        side, row = side_of_customer(secret, at=now)
    except TicketUnknown:
        raise Http404 from None
    form = MessageForm(request.POST if request.POST.get("deed") == "answer" else None)
    who: dict[str, Any] = {
        "side": side, "ticket": row.public_id, "at": now,
        "actor": customer(client_address(request), agent_of(request)),
    }  # fmt: skip
    try:
        if request.method == "POST" and request.POST.get("deed") in DEEDS:
            DEEDS[request.POST["deed"]](**who)
            return redirect("help:ticket", secret)
        if form.is_valid():
            answer(text=form.cleaned_data["text"], **who)
            messages.success(request, _("Your message is with support."))
            return redirect("help:ticket", secret)
    except MerchantRefusal as refusal:
        messages.error(request, refusal_told(refusal))
        return redirect("help:ticket", secret)
    context = {"talk": talk_of(side, row.public_id), "form": form}
    return render(request, "help/ticket.html", context)


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE
