"""Taking a stretch of the audit trail out, as a file that an outsider can check."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.audit.export import export_stretch, exported_lines
from compliance.audit.proof import prove_entry
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of, to_signin

KEY_DIGITS_MAX: Final = 18
YEARS: Final = range(2000, 3000)


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The entries of some days, both included, as a download. That it was taken is recorded."""
    person = person_of(request)
    if person is None:
        return to_signin(request)
    if not may(person, Ability.AUDIT_EXPORT):
        raise PermissionDenied
    first, last = _day(request.POST.get("from", "")), _day(request.POST.get("to", ""))
    if first is None or last is None or first > last:
        messages.error(request, _("Give the first and the last day, the first not after the last."))
        return redirect("desk:entries")
    stretch = export_stretch(
        start=_begin(first), end=_begin(last + timedelta(days=1)),
        actor=actor_of(request), at=timezone.now(),
    )  # fmt: skip
    return StreamingHttpResponse(
        exported_lines(stretch),
        content_type="application/x-ndjson",
        headers={
            "Content-Disposition": f'attachment; filename="audit-{first}-{last}.jsonl"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
def proof(request: HttpRequest) -> HttpResponseBase:
    """One entry with the proof that it stands in the trail. That it was taken is recorded."""
    person = person_of(request)
    if person is None:
        return to_signin(request)
    if not may(person, Ability.AUDIT_EXPORT):
        raise PermissionDenied
    typed = request.POST.get("entry", "").strip()
    entry = int(typed) if typed.isdecimal() and len(typed) <= KEY_DIGITS_MAX else 0
    line = prove_entry(entry=entry, actor=actor_of(request), at=timezone.now())
    if line is None:
        messages.error(
            request, _("There is no sealed entry with this number. A new one is sealed in seconds.")
        )
        return redirect("desk:entries")
    return HttpResponse(
        line,
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="audit-entry-{entry}.json"',
            "Cache-Control": "no-store",
        },
    )


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and day.year in YEARS else None


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
