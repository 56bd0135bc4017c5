"""Which merchant a person works for in the portal, and the gate before every page of it."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from compliance.audit.actor import Actor
from compliance.identity.address import agent_of, client_address
from compliance.identity.failures import tell_refused
from compliance.identity.models import User
from compliance.identity.notices import UNREAD_SHOWN_MAX
from compliance.identity.signin import actor_of, person_of, safe_next, verified_required
from compliance.trace import note
from merchants.access import MerchantAccess, by_member, require
from merchants.accounts.queries import name_and_unread
from merchants.errors import AccessRefused

SESSION_KEY: Final = "merchant"

View = Callable[..., HttpResponse]


def current_access(request: HttpRequest) -> MerchantAccess:
    """What the signed-in person may do at the merchant they chose. Asked once per request.

    Raises AccessRefused: `merchant_not_chosen`, `membership_missing`, or `merchant_unknown` when
    the person does not belong to the chosen one any more.
    """
    known = getattr(request, "_merchant_access", None)
    if isinstance(known, MerchantAccess):
        return known
    user = person_of(request)
    if user is None:
        raise AccessRefused("membership_missing")
    access = by_member(
        user, request.session.get(SESSION_KEY),
        address=client_address(request), agent=agent_of(request),
    )  # fmt: skip
    note(merchant=access.merchant)
    request._merchant_access = access  # type: ignore[attr-defined]  # noqa: SLF001
    return access


def choose_merchant(request: HttpRequest, user: User, merchant: str) -> None:
    """Work for this merchant from now on. Raises AccessRefused for a stranger."""
    access = by_member(user, merchant, address=client_address(request), agent=agent_of(request))
    request.session[SESSION_KEY] = access.merchant


def portal_page(ability: str) -> Callable[[View], View]:
    """Decorate a page of the portal: `view(request, access, …)`.

    A stranger is sent to the sign-in, a person of several merchants to the choice between them, and
    one without the ability gets 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                access = current_access(request)
            except AccessRefused as refusal:
                return _turn_away(request, refusal)
            try:
                require(access, ability)
            except AccessRefused as refusal:
                tell_turned_away(request, access.actor, refusal)
                context = {**frame_of(access), "code": refusal.code}
                return render(request, "portal/merchants/refused.html", context, status=403)
            return view(request, access, *args, **kwargs)

        return verified_required(guarded)

    return decorate


def frame_of(access: MerchantAccess) -> Mapping[str, object]:
    """What `portal/base.html` shows around every page."""
    name, unread = name_and_unread(access)
    return {
        "merchant_name": name,
        "unread": f"{UNREAD_SHOWN_MAX}+" if unread > UNREAD_SHOWN_MAX else unread or "",
        "livemode": access.livemode,
        "abilities": access.abilities,
        "is_suspended": access.is_suspended,
        "merchant_status": access.status,
        "suspended_for": access.suspended_for,
    }


def tell_turned_away(request: HttpRequest, actor: Actor, refusal: AccessRefused) -> None:
    """Keep in the trail that a person asked for what is not theirs."""
    tell_refused(actor, refusal.code, path=request.path, method=request.method or "")


def _turn_away(request: HttpRequest, refusal: AccessRefused) -> HttpResponse:
    if refusal.code != "merchant_not_chosen":
        tell_turned_away(request, actor_of(request), refusal)
    if refusal.code == "membership_missing":
        return render(request, "portal/merchants/none.html", status=403)
    if refusal.code == "merchant_unknown":
        request.session.pop(SESSION_KEY, None)
    if refusal.code in {"merchant_unknown", "merchant_not_chosen"}:
        page = safe_next(request.get_full_path()) if request.method == "GET" else ""
        return redirect(reverse("merchants:choose", query={"next": page} if page else None))
    raise Http404
