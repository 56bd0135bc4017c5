"""The portal's page of notices: what happened, what is to be done, and where."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from compliance.identity.notices import list_notices, read_all_notices, read_notice
from merchants.access import MerchantAccess
from merchants.accounts.abilities import PAYMENTS_READ
from merchants.portal.session import frame_of, portal_page

PAGE: Final = 30
KEY_DIGITS_MAX: Final = 18


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def notices(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """What concerns the person at this merchant, newest first."""
    text = request.GET.get("before", "")
    is_key = text.isascii() and text.isdecimal() and len(text) <= KEY_DIGITS_MAX
    is_unread = request.GET.get("show") == "unread"
    rows, older = list_notices(
        _person(access), merchant=access.merchant, is_unread=is_unread,
        before=int(text) if is_key else 0, limit=PAGE,
    )  # fmt: skip
    kept = "show=unread&" if is_unread else ""
    context = {
        **frame_of(access), "notices": rows, "is_unread": is_unread,
        "older": f"?{kept}before={older}" if older else "",
        "newest": f"?{kept}" if is_key else "",
    }  # fmt: skip
    return render(request, "portal/merchants/notices.html", context)


@require_POST
@portal_page(PAYMENTS_READ)
def look(request: HttpRequest, access: MerchantAccess, notice: str) -> HttpResponse:
    """Note that it is read, and go where something can be done about it."""
    page = read_notice(_person(access), merchant=access.merchant, notice=notice, at=timezone.now())
    if page is None:
        raise Http404
    return redirect(page)


@require_POST
@portal_page(PAYMENTS_READ)
def read_all(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Nothing of it is new any more."""
    count = read_all_notices(_person(access), merchant=access.merchant, at=timezone.now())
    told = ngettext("%(count)d notice is read.", "%(count)d notices are read.", count)
    messages.success(request, told % {"count": count})
    return redirect("merchants:notices")


def _person(access: MerchantAccess) -> int:
    if access.actor.person is None:
        raise Http404
    return access.actor.person
