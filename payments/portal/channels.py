"""The merchant's page of channels: where each application stands, and what to do about it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.portal.session import frame_of, portal_page
from payments.enrolment.queries import standings_of
from payments.qr import draw_qr


@never_cache
@require_safe
@portal_page(APPLICATION_WRITE)
def channels(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Each channel, with the gateway's link to sign where there is one."""
    found = standings_of(access, at=timezone.now())
    rows = [(one, draw_qr(one.sign_url) if one.sign_url else "") for one in found]
    return render(request, "portal/payments/channels.html", {**frame_of(access), "rows": rows})
