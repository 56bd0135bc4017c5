"""States of an application and kinds of businesses, each on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from merchants.errors import IllegalMove


class Entity(TextChoices):
    """What the business is in law."""

    ENTERPRISE = "enterprise", _("Enterprise")
    INDIVIDUAL = "individual", _("Individual business")
    INSTITUTION = "institution", _("Institution")


class ApplicationState(TextChoices):
    """Where an application stands."""

    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    NEEDS_CHANGES = "needs_changes", _("Needs changes")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


MOVES: Final[dict[ApplicationState, frozenset[ApplicationState]]] = {
    ApplicationState.DRAFT: frozenset({ApplicationState.IN_REVIEW, ApplicationState.WITHDRAWN}),
    ApplicationState.IN_REVIEW: frozenset(
        {ApplicationState.NEEDS_CHANGES, ApplicationState.APPROVED, ApplicationState.REJECTED}
    ),
    ApplicationState.NEEDS_CHANGES: frozenset(
        {ApplicationState.IN_REVIEW, ApplicationState.WITHDRAWN, ApplicationState.REJECTED}
    ),
    ApplicationState.APPROVED: frozenset(),
    ApplicationState.REJECTED: frozenset(),
    ApplicationState.WITHDRAWN: frozenset(),
}
WRITABLE: Final = frozenset({ApplicationState.DRAFT, ApplicationState.NEEDS_CHANGES})
"""When the applicant may write."""
OPEN: Final = WRITABLE | {ApplicationState.IN_REVIEW}


def require_application_move(before: ApplicationState, after: ApplicationState) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if after not in MOVES[before]:
        raise IllegalMove(before=before.value, after=after.value)
