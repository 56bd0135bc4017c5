"""All models of this storey, so that Django finds them."""

from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.onboarding.models import Application, Consent, Document, Draft, Verdict

__all__ = [
    "ApiKey", "Application", "Consent", "Document", "Draft", "Member", "Merchant", "Verdict",
]  # fmt: skip
