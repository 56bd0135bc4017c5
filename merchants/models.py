"""All models of this storey, so that Django finds them."""

from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.onboarding.models import Application, Consent, Document, Draft, Verdict
from merchants.screening.models import (
    ListedName,
    ListVersion,
    Rescreening,
    ScreeningCheck,
    ScreeningHit,
    ScreeningList,
)

__all__ = [
    "ApiKey", "Application", "Consent", "Document", "Draft", "ListVersion", "ListedName", "Member",
    "Merchant", "Rescreening", "ScreeningCheck", "ScreeningHit", "ScreeningList", "Verdict",
]  # fmt: skip
