"""The page to which a sign link leads: there the merchant signs the gateway's contract."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from payments.channels.sandbox import enrolments, faults
from payments.channels.sandbox.models import EnrolmentState, GatewayName, SandboxEnrolment

AFTER = {
    EnrolmentState.TO_BE_CONFIRMED: "sign",
    EnrolmentState.TO_BE_SIGNED: "finish",
}
"""What follows when the merchant has done their part."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the contract; POST signs it, or proves the account."""
    row = get_object_or_404(SandboxEnrolment, token=token)
    if faults.is_down(row.gateway):
        return faults.unavailable()
    step = AFTER.get(EnrolmentState(row.state))
    if request.method == "POST" and step is not None:
        enrolments.decide(
            gateway=row.gateway, number=row.number, decision=step, reasons={}, at=timezone.now()
        )
        return redirect(request.path)
    context = {
        "row": row,
        "gateway": GatewayName(row.gateway).label,
        "state": row.get_state_display(),
        "is_open": step is not None,
    }
    return render(request, "sandbox/contract.html", context)
