"""The public page on which anybody checks a report that they hold. It tells no business figures."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from compliance.identity.address import client_address
from compliance.limits import TooMany, spend
from compliance.numbers import is_number
from compliance.reports.models import Report
from compliance.reports.states import PUBLIC, ReportState


@never_cache
@require_safe
def verify(request: HttpRequest, number: str) -> HttpResponse:
    """A published report's state and fingerprint; the browser hashes the reader's own file.

    A number that was never published answers like one that does not exist.
    """
    try:
        spend("report.verify", client_address(request))
    except TooMany as limit:
        answer = render(request, "verify/unknown.html", {"wait": limit.wait_seconds})
        answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
        answer["Retry-After"] = str(limit.wait_seconds)
        return answer
    rows = Report.objects.filter(public_id=number, state__in=PUBLIC)
    row = rows.first() if is_number(number, "rpt_") else None
    if row is None:
        return render(request, "verify/unknown.html", status=HTTPStatus.NOT_FOUND)
    newer = row.replaced_by.filter(state__in=PUBLIC).order_by("pk").first()
    context = {
        "report": row, "newer": newer, "entity": settings.REPORT_ENTITY,
        "is_current": row.state == ReportState.PUBLISHED,
    }  # fmt: skip
    return render(request, "verify/report.html", context)
