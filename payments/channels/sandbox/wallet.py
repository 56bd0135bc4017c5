"""The fake wallet: the page on which a person pays, and the sandbox's front page."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from payments.channels.sandbox import faults, orders
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import (
    GatewayName,
    OrderState,
    SandboxGateway,
    SandboxOrder,
)
from payments.channels.sandbox.speaker import WayBack
from payments.channels.sandbox.speakers import SPEAKERS

SHOWN_MAX = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def wallet(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the order to its payer; POST with `action=pay` pays it."""
    order = get_object_or_404(SandboxOrder, token=token)
    if order.gateway not in SPEAKERS:
        raise Http404
    if faults.is_down(order.gateway):
        return faults.unavailable()
    order = orders.see(order.pk, at=timezone.now())
    if request.method != "POST":
        return _page(request, order)
    if request.POST.get("action") != "pay":
        return _page(request, order, is_cancelled=True)
    try:
        order = orders.pay(order.pk, SPEAKERS[order.gateway], at=timezone.now())
    except (orders.OrderPaid, orders.OrderClosed):
        return _page(request, SandboxOrder.objects.get(pk=order.pk))
    back = _way_back(order)
    if back is not None and not back.fields:
        return HttpResponseRedirect(back.url)
    return _page(request, order)


def _page(request: HttpRequest, order: SandboxOrder, *, is_cancelled: bool = False) -> HttpResponse:
    is_lapsed = order.state == OrderState.WAITING and order.has_lapsed(timezone.now())
    context = {
        "order": order,
        "gateway": GatewayName(order.gateway).label,
        "is_cancelled": is_cancelled,
        "is_payable": order.state == OrderState.WAITING and not is_lapsed,
        "is_paid": order.state == OrderState.PAID,
        "way_back": _way_back(order) if order.state == OrderState.PAID else None,
    }
    return render(request, "sandbox/wallet.html", context)


def _way_back(order: SandboxOrder) -> WayBack | None:
    speaker = SPEAKERS[order.gateway]
    return speaker.way_back(order, keys_of(speaker))


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What the sandbox is, and the latest orders of all gateways."""
    down = set(SandboxGateway.objects.filter(is_down=True).values_list("gateway", flat=True))
    context = {
        "gateways": [(GatewayName(name).label, name in down) for name in SPEAKERS],
        "orders": SandboxOrder.objects.order_by("-pk")[:SHOWN_MAX],
    }
    return render(request, "sandbox/index.html", context)
