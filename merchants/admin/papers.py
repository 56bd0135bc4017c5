"""Papers as reviewers see them: pictures with a watermark, PDFs as a download."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from compliance.identity.downloads import file_answer
from compliance.identity.signin import actor_of
from compliance.protection.vault.files import FileClosed, OpenedFile, open_file
from compliance.protection.vault.models import StoredFile
from merchants.onboarding.watermark import watermarked

IMAGE: Final = "image/"


def paper_answer(request: HttpRequest, file: StoredFile, *, reason: str) -> HttpResponse:
    """The answer with a paper. Each look is recorded; the caller has asked whether they may."""
    actor, now = actor_of(request), timezone.now()
    try:
        opened = open_file(file, reason=reason, actor=actor, at=now)
    except FileClosed:
        raise Http404 from None
    if not opened.media_type.startswith(IMAGE):
        return file_answer(opened)
    drawn = watermarked(opened.content, reviewer=actor.label, at=timezone.localtime(now))
    answer = file_answer(OpenedFile(opened.number, opened.name, "image/jpeg", drawn))
    answer["Content-Disposition"] = "inline"
    return answer
