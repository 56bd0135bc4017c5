"""Having a paper of the application read by a program, as a proposal to compare."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.identity.signin import person_of
from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.errors import MerchantRefusal
from merchants.onboarding.assisted import read_document
from merchants.onboarding.refusals import ApplicationNotFound
from merchants.onboarding.words import LABELS, refusal_told
from merchants.portal.session import portal_page


@require_POST
@portal_page(APPLICATION_WRITE)
def read(request: HttpRequest, access: MerchantAccess, file: str) -> HttpResponse:
    """Have a paper read, and go where a person compares. Messages name fields, never values."""
    person = person_of(request)
    if person is None:
        raise Http404
    try:
        found = read_document(access=access, by=person, file=file, at=timezone.now())
    except ApplicationNotFound:
        raise Http404 from None
    except MerchantRefusal as refusal:
        messages.warning(request, refusal_told(refusal))
        return redirect("merchants:application-documents")
    if found.filled:
        told = _("Filled in from the paper: %(fields)s. Compare each with the paper.")
        messages.success(request, told % {"fields": _named(found.filled)})
    if found.differing:
        told = _("The paper seems to say something else: %(fields)s. Please compare.")
        messages.warning(request, told % {"fields": _named(found.differing)})
    if not found.filled and not found.differing:
        messages.success(request, _("The paper says what you typed, as far as it could be read."))
    return redirect("merchants:application-section", found.section)


def reader(request: HttpRequest, *args: Any, **kwargs: Any) -> str:
    """Whose papers are read, for counting."""
    person = person_of(request)
    return str(person.pk) if person else ""


def _named(targets: Iterable[str]) -> str:
    return ", ".join(str(LABELS[target]) for target in targets)
