"""The life of a report, on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class ReportState(TextChoices):
    """How far a report has got."""

    QUEUED = "queued", pgettext_lazy("report", "Being made")
    FAILED = "failed", pgettext_lazy("report", "Could not be made")
    DRAFT = "draft", pgettext_lazy("report", "Draft")
    IN_REVIEW = "in_review", pgettext_lazy("report", "In review")
    APPROVED = "approved", pgettext_lazy("report", "Approved")
    SIGNED = "signed", pgettext_lazy("report", "Signed")
    PUBLISHED = "published", pgettext_lazy("report", "Published")
    SUPERSEDED = "superseded", pgettext_lazy("report", "Superseded")
    VOID = "void", pgettext_lazy("report", "Void")


_S: Final = ReportState

REPORT_MOVES: Final[dict[ReportState, frozenset[ReportState]]] = {
    _S.QUEUED: frozenset({_S.DRAFT, _S.FAILED, _S.VOID}),
    _S.FAILED: frozenset({_S.QUEUED, _S.VOID}),
    _S.DRAFT: frozenset({_S.IN_REVIEW, _S.VOID}),
    # Asked for once more when the request before was refused or ran out.
    _S.IN_REVIEW: frozenset({_S.IN_REVIEW, _S.APPROVED, _S.VOID}),
    _S.APPROVED: frozenset({_S.SIGNED, _S.VOID}),
    _S.SIGNED: frozenset({_S.PUBLISHED, _S.VOID}),
    _S.PUBLISHED: frozenset({_S.SUPERSEDED}),
    _S.SUPERSEDED: frozenset(),
    _S.VOID: frozenset(),
}
PUBLIC: Final = frozenset({_S.PUBLISHED, _S.SUPERSEDED})
"""What the verify page knows."""
UNDER_WAY: Final = frozenset({_S.QUEUED, _S.DRAFT, _S.IN_REVIEW, _S.APPROVED, _S.SIGNED})
