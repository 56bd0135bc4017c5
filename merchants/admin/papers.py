"""Papers as reviewers see them: pictures with a watermark, PDFs as a download."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from compliance.identity.downloads import file_answer
from compliance.identity.signin import actor_of
from compliance.protection.vault.files import FileClosed, open_file
from compliance.protection.vault.models import StoredFile
from merchants.onboarding.watermark import IMAGE, marked


def paper_answer(request: HttpRequest, file: StoredFile, *, reason: str) -> HttpResponse:
    """The answer with a paper. Each look is recorded; the caller has asked whether they may."""
    actor, now = actor_of(request), timezone.now()
    try:
        opened = open_file(file, reason=reason, actor=actor, at=now)
    except FileClosed:
        raise Http404 from None
    answer = file_answer(marked(opened, looker=actor.label, at=timezone.localtime(now)))
    if opened.media_type.startswith(IMAGE):
        answer["Content-Disposition"] = "inline"
    return answer
