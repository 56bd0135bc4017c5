"""Taking a stretch of the audit trail out, as a file that an outsider can check."""

from collections.abc import Iterator
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.audit.export import export_stretch, exported_lines
from compliance.audit.proof import proofs, prove_entry
from compliance.audit.search import export_search, searched_lines
from compliance.desk.searching import Typed, read_search
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of, to_signin
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up

KEY_DIGITS_MAX: Final = 18


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The entries of some days, both included, as a download; with more fields, what the search
    finds in them. The second factor is asked for again, and that it was taken is recorded.
    """
    person = person_of(request)
    if person is None:
        return to_signin(request)
    if not may(person, Ability.AUDIT_EXPORT):
        raise PermissionDenied
    typed = read_search(request.POST)
    if typed.first is None or typed.last is None or typed.first > typed.last:
        messages.error(request, _("Give the first and the last day, the first not after the last."))
        return redirect("desk:entries")
    if answer := requires_step_up(request, _taking(typed), back=reverse("desk:entries")):
        return answer
    lines = _lines(request, typed)
    first, last = typed.first, typed.last
    kind = "audit-search" if typed.is_narrow else "audit"
    return StreamingHttpResponse(
        lines,
        content_type="application/x-ndjson",
        headers={
            "Content-Disposition": f'attachment; filename="{kind}-{first}-{last}.jsonl"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
def proof(request: HttpRequest) -> HttpResponseBase:
    """One entry with the proof that it stands in the trail. The second factor is asked for again,
    and that it was taken is recorded.
    """
    person = person_of(request)
    if person is None:
        return to_signin(request)
    if not may(person, Ability.AUDIT_EXPORT):
        raise PermissionDenied
    typed = request.POST.get("entry", "").strip()
    entry = int(typed) if typed.isdecimal() and len(typed) <= KEY_DIGITS_MAX else 0
    if next(proofs([entry]), None) is None:
        messages.error(
            request, _("There is no sealed entry with this number. A new one is sealed in seconds.")
        )
        return redirect("desk:entries")
    if answer := requires_step_up(request, _proving(entry), back=reverse("desk:entries")):
        return answer
    # What was sealed a moment ago is sealed still.
    line = str(prove_entry(entry=entry, actor=actor_of(request), at=timezone.now()))
    return HttpResponse(
        line,
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="audit-entry-{entry}.json"',
            "Cache-Control": "no-store",
        },
    )


def _lines(request: HttpRequest, typed: Typed) -> Iterator[str]:
    """Days alone give an unbroken part of the chain; a search gives each entry with its proof."""
    wanted, actor, now = typed.wanted(), actor_of(request), timezone.now()
    if typed.is_narrow or wanted.start is None or wanted.end is None:
        export_search(wanted, actor=actor, at=now)
        return searched_lines(wanted)
    return exported_lines(export_stretch(start=wanted.start, end=wanted.end, actor=actor, at=now))


def _taking(typed: Typed) -> Deed:
    """What somebody confirms who takes a part of the trail out."""
    told = (
        Fact("from", _("First day"), str(typed.first)),
        Fact("to", _("Last day"), str(typed.last)),
        Fact("actor", _("Actor"), typed.actor),
        Fact("subject", _("Kind and number of the subject"), typed.subject),
        Fact("action", _("Action"), typed.action),
    )
    title = _("Take a part of the audit trail out")
    return Deed(
        purpose="audit.export", title=title, facts=tuple(fact for fact in told if fact.value)
    )


def _proving(entry: int) -> Deed:
    """What somebody confirms who takes one entry out."""
    return Deed(
        purpose="audit.proof",
        title=_("Take an entry of the audit trail out, with its proof"),
        facts=(Fact("entry", _("Number of the entry"), str(entry)),),
    )
