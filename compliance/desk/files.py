"""Files on the desk: evidence that officers hand in, and a look at it for a reason."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from compliance.identity.downloads import file_answer
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of, to_signin
from compliance.protection.vault.files import (
    FileClosed,
    FileNotFound,
    Upload,
    find_file,
    open_file,
    take_in,
)
from compliance.protection.vault.kinds import BYTES_MAX, FileRefused
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.words import FILE_REFUSALS

EVIDENCE: Final = "evidence"
OWNER: Final = ("desk", "evidence")
SHOWN_MAX: Final = 100
REASON_MAX: Final = 500


class EvidenceForm(forms.Form):
    """A file, and the reason to keep it."""

    file = forms.FileField(
        label=gettext_lazy("File"), max_length=255, allow_empty_file=True,
        help_text=gettext_lazy("JPEG or PNG up to 5 MB, PDF up to 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".jpg,.jpeg,.png,.pdf"}),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def files(request: HttpRequest) -> HttpResponse:
    """The files that were handed in here, and the form for another."""
    person = _reader(request)
    if isinstance(person, HttpResponse):
        return person
    may_add = may(person, Ability.EVIDENCE_ADD)
    if request.method == "POST" and not may_add:
        raise PermissionDenied
    form = EvidenceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = take_in(
                _upload(form.cleaned_data["file"]), purpose=EVIDENCE, owner=OWNER,
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip
        except FileRefused as refusal:
            form.add_error("file", FILE_REFUSALS[refusal.code])
        else:
            messages.success(request, _("%(name)s was taken in.") % {"name": row.name})
            return redirect("desk:files")
    rows = StoredFile.objects.filter(owner_kind=OWNER[0]).order_by("-pk")[:SHOWN_MAX]
    context = {"files": rows, "form": form, "may_add": may_add, "reason_max": REASON_MAX}
    return render(request, "desk/files.html", context)


@require_POST
def view(request: HttpRequest, file: str) -> HttpResponse:
    """A file's content as a download; why somebody looked is recorded."""
    person = _reader(request)
    if isinstance(person, HttpResponse):
        return person
    reason = request.POST.get("reason", "").strip()[:REASON_MAX]
    if not reason:
        messages.error(request, _("Write down why you look at the file."))
        return redirect("desk:files")
    try:
        row = find_file(file, owner=OWNER)
        opened = open_file(row, reason=reason, actor=actor_of(request), at=timezone.now())
    except FileNotFound:
        raise Http404 from None
    except FileClosed:
        messages.error(request, _("This file cannot be looked at: see its state."))
        return redirect("desk:files")
    return file_answer(opened)


def _reader(request: HttpRequest) -> User | HttpResponse:
    person = person_of(request)
    if person is None:
        return to_signin(request)
    if not may(person, Ability.EVIDENCE_VIEW):
        raise PermissionDenied
    return person


def _upload(sent: Any) -> Upload:
    """Not more of it than is taken at all, and a byte, by which too much is noticed."""
    return Upload(sent.name, sent.content_type or "", sent.read(BYTES_MAX + 1))
