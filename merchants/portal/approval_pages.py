"""The merchant's inbox: what waits for whom among its people, each request, and deciding it."""

from collections.abc import Iterable
from typing import Final

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from compliance.approvals.decide import approve, cancel, reject
from compliance.approvals.errors import TOLD, ApprovalRefused
from compliance.approvals.frozen import is_as_asked
from compliance.approvals.models import Approval
from compliance.approvals.queries import OPEN, Reader, deeds_of, visible_to, waiting_for
from compliance.approvals.request import REASON_MAX
from compliance.approvals.showing import executing, label_of, lines_of, tone_of
from compliance.approvals.states import ApprovalState
from compliance.identity.signin import person_of
from compliance.identity.stepup_pages import requires_step_up
from merchants.access import MerchantAccess
from merchants.accounts.abilities import PAYMENTS_READ
from merchants.portal.session import frame_of, portal_page

PAGE: Final = 30


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def approvals(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """What waits for the reader, what waits for others, and what is over."""
    reader = _reader(request, access)
    rows = visible_to(reader).select_related("maker").order_by("-pk")
    mine = waiting_for(reader).select_related("maker").order_by("-pk")[:PAGE]
    waiting = {row.pk for row in mine}
    context = {
        **frame_of(access),
        "mine": _shown(mine),
        "others": _shown(row for row in rows.filter(OPEN)[:PAGE] if row.pk not in waiting),
        "over": _shown(rows.exclude(OPEN)[:PAGE]),
    }
    return render(request, "portal/merchants/approvals.html", context)


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def approval(request: HttpRequest, access: MerchantAccess, approval: str) -> HttpResponse:
    """One request in full, and what the reader may do about it."""
    reader = _reader(request, access)
    row = _find(reader, approval)
    context = {
        **frame_of(access),
        "approval": row,
        "label": label_of(row),
        "tone": tone_of(row),
        "lines": lines_of(row),
        "votes": row.votes.select_related("checker").order_by("pk"),
        "deeds": deeds_of(reader, row),
        "is_as_asked": row.state != ApprovalState.PENDING or is_as_asked(row),
        "ending": TOLD.get(row.ending, row.ending),
        "reason_max": REASON_MAX,
    }
    return render(request, "portal/merchants/approval.html", context)


@require_POST
@portal_page(PAYMENTS_READ)
def decide(request: HttpRequest, access: MerchantAccess, approval: str) -> HttpResponse:
    """Agree, reject or take back, and say what came of it."""
    reader = _reader(request, access)
    row = _find(reader, approval)
    deed, reason = request.POST.get("deed", ""), request.POST.get("reason", "")[:REASON_MAX]
    page = reverse("merchants:approval", args=[row.public_id])
    if deed == "approve" and deeds_of(reader, row).may_decide:
        wish = executing(row, purpose="approval.approve", title=_("Agree"), reason="")
        if answer := requires_step_up(request, wish, back=page):
            return answer
    try:
        messages.success(request, _decide(reader, access, row, deed, reason))
    except ApprovalRefused as refusal:
        messages.error(request, refusal.told)
    return redirect(page)


def _decide(reader: Reader, access: MerchantAccess, row: Approval, deed: str, reason: str) -> str:
    who, number, at = reader.person, row.public_id, timezone.now()
    match deed:
        case "approve":
            approve(number=number, checker=who, actor=access.actor, at=at)
            return _("You agreed.")
        case "reject":
            reject(number=number, checker=who, reason=reason, actor=access.actor, at=at)
            return _("You rejected the request.")
        case "cancel":
            cancel(number=number, maker=who, reason=reason, actor=access.actor, at=at)
            return _("You took the request back.")
        case _:
            raise BadRequest("no such deed")


def _reader(request: HttpRequest, access: MerchantAccess) -> Reader:
    person = person_of(request)
    if person is None:
        raise Http404
    return Reader(person, access.abilities, access.merchant)


def _find(reader: Reader, number: str) -> Approval:
    """Another merchant's request answers like one that does not exist."""
    found = visible_to(reader).select_related("maker", "ended_by").filter(public_id=number).first()
    if found is None:
        raise Http404
    return found


def _shown(rows: Iterable[Approval]) -> list[tuple[Approval, str, str]]:
    return [(row, label_of(row), tone_of(row)) for row in rows]
