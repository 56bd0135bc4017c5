"""States, roles and scopes of merchants, each on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.errors import IllegalMove


class MerchantStatus(TextChoices):
    """Whether a merchant may do business."""

    APPLICANT = "applicant", _("Applicant")
    """Tries everything out in test mode, and fills in the application."""
    IN_REVIEW = "in_review", _("In review")
    ACTIVE = "active", _("Active")
    LIMITED = "limited", _("Limited")
    """A paper is out of date: business goes on, payouts wait."""
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")


class Suspension(TextChoices):
    """Why a merchant is suspended."""

    STAFF = "staff", _("By the staff")
    PAPERS = "papers", _("Papers ran out")
    """Money that was taken can be given back, and it ends by itself when the papers are renewed."""


MERCHANT_MOVES: Final[dict[MerchantStatus, frozenset[MerchantStatus]]] = {
    MerchantStatus.APPLICANT: frozenset({MerchantStatus.IN_REVIEW, MerchantStatus.CLOSED}),
    MerchantStatus.IN_REVIEW: frozenset({MerchantStatus.APPLICANT, MerchantStatus.ACTIVE}),
    MerchantStatus.ACTIVE: frozenset(
        {MerchantStatus.LIMITED, MerchantStatus.SUSPENDED, MerchantStatus.CLOSED}
    ),
    MerchantStatus.LIMITED: frozenset(
        {MerchantStatus.ACTIVE, MerchantStatus.SUSPENDED, MerchantStatus.CLOSED}
    ),
    MerchantStatus.SUSPENDED: frozenset(
        {
            MerchantStatus.ACTIVE,
            MerchantStatus.LIMITED,
            MerchantStatus.CLOSED,
            # The staff may suspend whom the papers stopped: then only the staff let them go on.
            MerchantStatus.SUSPENDED,
        }
    ),
    MerchantStatus.CLOSED: frozenset(),
}
STOPPED: Final = frozenset({MerchantStatus.SUSPENDED, MerchantStatus.CLOSED})
"""Its people and keys only read."""
APPROVED: Final = frozenset(
    {
        MerchantStatus.ACTIVE, MerchantStatus.LIMITED, MerchantStatus.SUSPENDED,
        MerchantStatus.CLOSED,
    }
)  # fmt: skip
"""Two people of the staff have looked at its papers: only such a merchant may take real money."""


def require_merchant_move(before: MerchantStatus, after: MerchantStatus) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if after not in MERCHANT_MOVES[before]:
        raise IllegalMove(before=before.value, after=after.value)


class Role(TextChoices):
    """What a person is at a merchant."""

    OWNER = "owner", _("Owner")
    FINANCE = "finance", _("Finance")
    OPERATOR = "operator", _("Operator")
    DEVELOPER = "developer", _("Developer")
    READ_ONLY = "read_only", _("Read only")


class RevocationReason(TextChoices):
    """Why a key was revoked. What more there is to say, the audit trail keeps."""

    UNUSED = "unused", pgettext_lazy("key", "Not used any more")
    LEAKED = "leaked", pgettext_lazy("key", "Somebody else may know it")
    MOVED = "moved", pgettext_lazy("key", "The program uses another key")
    LEFT = "left", pgettext_lazy("key", "Whoever used it has left")
    OTHER = "other", pgettext_lazy("key", "Another reason")
    """Says itself which."""
