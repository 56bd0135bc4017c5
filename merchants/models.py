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
from merchants.terms.models import Renewal, Term

__all__ = [
    "ApiKey", "Application", "Consent", "Document", "Draft", "ListVersion", "ListedName", "Member",
    "Merchant", "Renewal", "Rescreening", "ScreeningCheck", "ScreeningHit", "ScreeningList",
    "Term", "Verdict",
]  # fmt: skip
