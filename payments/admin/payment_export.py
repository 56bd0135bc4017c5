"""The staff take the list of payments out, as it is narrowed on the page."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.limits import TooMany, spend
from payments.acquiring.exporting import CONTENT_TYPE, Taking, file_headers, take_out
from payments.admin.keyset import KeysetChangeList

TEXT_MAX: Final = 200


def export(request: HttpRequest, changelist: KeysetChangeList) -> HttpResponseBase:
    """All rows of the list, however many pages they fill, after the second factor."""
    person = person_of(request)
    if person is None or not may(person, Ability.PAYMENTS_EXPORT):
        raise PermissionDenied
    asked = asked_of(changelist)
    back = reverse("admin:payments_payment_changelist") + changelist.get_query_string()
    if answer := requires_step_up(request, _taking(asked), back=back):
        return answer
    try:
        spend("payment.export", f"staff {person.pk}")
    except TooMany as much:
        text = _("That was often. Wait %(seconds)d seconds.") % {"seconds": much.wait_seconds}
        messages.warning(request, text)
        return redirect(back)
    at = timezone.now()
    taking = Taking(
        rows=changelist.queryset, reach=changelist.reach, asked=asked, actor=actor_of(request),
        subject=("payments", "list"), with_merchants=True,
    )  # fmt: skip
    return StreamingHttpResponse(
        take_out(taking, at=at), content_type=CONTENT_TYPE, headers=file_headers(at)
    )


def asked_of(changelist: KeysetChangeList) -> dict[str, str]:
    """What the list is narrowed by, as in its address."""
    return {
        name: ",".join(str(value) for value in values)[:TEXT_MAX]
        for name, values in sorted(changelist.filter_params.items())
        if name != "_changelist_filters" and any(values)
    }


def _taking(asked: dict[str, str]) -> Deed:
    told = ", ".join(f"{name} = {value}" for name, value in asked.items()) or _("all payments")
    return Deed(
        purpose="payments.export",
        title=_("Take a list of payments out"),
        facts=(Fact("asked", _("Narrowed by"), told),),
    )
