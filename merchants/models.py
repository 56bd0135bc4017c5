"""All models of this storey, so that Django finds them."""

from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.screening.models import (
    ListedName,
    ListVersion,
    Rescreening,
    ScreeningCheck,
    ScreeningHit,
    ScreeningList,
)

__all__ = [
    "ApiKey", "ListVersion", "ListedName", "Member", "Merchant", "Rescreening", "ScreeningCheck",
    "ScreeningHit", "ScreeningList",
]  # fmt: skip
