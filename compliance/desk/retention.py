"""Retention on the desk: what is kept how long, what is due, and the certificates."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from compliance.approvals.errors import ApprovalRefused
from compliance.desk.views import officer_required
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from compliance.numbers import is_number
from compliance.retention.erase import certificate_of, look_through, request_erasure
from compliance.retention.models import Erasure
from compliance.retention.states import ErasureState

SHOWN_MAX = 50


@require_http_methods(["GET", "POST"])
@officer_required
def retention(request: HttpRequest) -> HttpResponse:
    """The table of classes with what is due, and the form that asks for an erasure."""
    person, now = _person(request), timezone.now()
    may_ask = may(person, Ability.RETENTION_REQUEST)
    if request.method == "POST":
        if not may_ask:
            raise PermissionDenied
        try:
            asked = request_erasure(
                name=request.POST.get("class", ""), reason=request.POST.get("reason", ""),
                maker=person, actor=actor_of(request), at=now,
            )  # fmt: skip
        except ApprovalRefused as refusal:
            messages.error(request, refusal.told)
        else:
            text = _("You asked for it (%(number)s). Somebody else must agree.")
            messages.success(request, text % {"number": asked.public_id})
        return redirect("desk:retention")
    erasures = Erasure.objects.order_by("-pk")[:SHOWN_MAX]
    context = {"due": look_through(at=now), "erasures": erasures, "may_ask": may_ask}
    return render(request, "desk/retention.html", context)


@require_safe
@officer_required
def certificate(request: HttpRequest, erasure: str) -> HttpResponse:
    """What was destroyed, as a file; its SHA-256 stands in the audit trail."""
    rows = Erasure.objects.filter(public_id=erasure, state=ErasureState.DONE)
    row = rows.first() if is_number(erasure, "ers_") else None
    if row is None:
        raise Http404
    text, _digest = certificate_of(row)
    return HttpResponse(
        text,
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{row.public_id}.json"',
            "Cache-Control": "private, no-store",
        },
    )


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person
