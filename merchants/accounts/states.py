"""States, roles and scopes of merchants, each on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from merchants.errors import IllegalMove


class MerchantStatus(TextChoices):
    """Whether a merchant may do business."""

    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")


MERCHANT_MOVES: Final[dict[MerchantStatus, frozenset[MerchantStatus]]] = {
    MerchantStatus.ACTIVE: frozenset({MerchantStatus.SUSPENDED}),
    MerchantStatus.SUSPENDED: frozenset({MerchantStatus.ACTIVE}),
}


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
