"""The first page of the compliance desk: is the audit trail whole, and what was done lately."""

from functools import wraps
from typing import Any, Final, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from compliance.audit.queries import chain_status, latest_entries
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import View, person_of, verified_required

LATEST: Final = 50
KEY_DIGITS_MAX: Final = 18


def officer_required(view: View) -> View:
    """Decorate a page of the desk: a verified person who may read the audit trail."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        if person is None or not person.has_perm("compliance.view_auditentry"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return verified_required(guarded)


@require_safe
@officer_required
def home(request: HttpRequest) -> HttpResponse:
    """How the chain stands, and the latest entries."""
    status = chain_status(at=timezone.now())
    entries = latest_entries(LATEST)
    return render(request, "desk/audit/home.html", {"status": status, "entries": entries})


@require_safe
@officer_required
def entries(request: HttpRequest) -> HttpResponse:
    """The trail page by page, newest first; one subject's when asked for."""
    before = request.GET.get("before", "")
    subject = request.GET.get("subject", "").strip()
    page = latest_entries(
        LATEST + 1,
        before=int(before) if before.isdecimal() and len(before) <= KEY_DIGITS_MAX else None,
        subject=subject,
    )
    shown = page[:LATEST]
    older = shown[-1].pk if len(page) > LATEST else None
    return render(
        request,
        "desk/audit/entries.html",
        {
            "entries": shown, "older": older, "subject": subject, "is_first": not before,
            "may_export": may(cast("User", request.user), Ability.AUDIT_EXPORT),
        },
    )  # fmt: skip
