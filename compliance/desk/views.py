"""The first page of the compliance desk: is the audit trail whole, and what was done lately."""

from functools import wraps
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance.audit.queries import chain_status, latest_entries
from compliance.audit.search import COUNT_MAX, Found, SearchTooWide, find_entries
from compliance.audit.words import SENTENCES
from compliance.desk.searching import read_search
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import View, person_of, verified_required
from compliance.jobs.queries import trouble
from compliance.reports.models import Report
from compliance.reports.registry import Period, due_tables

LATEST: Final = 50
REPORTS_SHOWN: Final = 5


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
    """How the chain stands, what is due, the latest reports and entries."""
    now = timezone.now()
    context = {
        "status": chain_status(at=now), "trouble": trouble(at=now),
        "entries": latest_entries(LATEST),
        "due": due_tables(Period(start=now, end=now, cutoff=now)),
        "reports": Report.objects.order_by("-pk")[:REPORTS_SHOWN],
    }  # fmt: skip
    return render(request, "desk/audit/home.html", context)


@require_safe
@officer_required
def entries(request: HttpRequest) -> HttpResponse:
    """The trail page by page, newest first; by actor, subject, action and days when asked for."""
    typed = read_search(request.GET)
    before = request.GET.get("before", "")
    try:
        found = find_entries(typed.wanted(), size=LATEST, before=before)
    except SearchTooWide:
        found = Found([], "", 0)
        messages.error(
            request, _("This search takes too long. Add a first and a last day, or a subject.")
        )
    asked = {
        "actor": typed.actor, "subject": typed.subject, "action": typed.action,
        "from": typed.first or "", "to": typed.last or "",
    }  # fmt: skip
    return render(
        request,
        "desk/audit/entries.html",
        {
            "entries": found.entries, "older": found.older, "count": found.count,
            "is_capped": found.count > COUNT_MAX, "count_max": COUNT_MAX, "asked": asked,
            "query": urlencode({name: value for name, value in asked.items() if value}),
            "is_first": not before, "actions": sorted(SENTENCES.items()),
            "may_export": may(cast("User", request.user), Ability.AUDIT_EXPORT),
        },
    )  # fmt: skip
