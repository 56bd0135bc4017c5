"""All models of this storey, so that Django finds them."""

from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.onboarding.models import (
    Application,
    Consent,
    Diligence,
    Document,
    Draft,
    RiskGrade,
    Verdict,
)
from merchants.screening.models import (
    ListedName,
    ListVersion,
    Rescreening,
    ScreeningCheck,
    ScreeningHit,
    ScreeningList,
)
from merchants.support.models import Message, Ticket, TicketLink
from merchants.terms.models import Renewal, Term

__all__ = [
    "ApiKey", "Application", "Consent", "Diligence", "Document", "Draft", "ListVersion",
    "ListedName", "Member", "Merchant", "Message", "Renewal", "Rescreening", "RiskGrade",
    "ScreeningCheck", "ScreeningHit", "ScreeningList", "Term", "Ticket", "TicketLink", "Verdict",
]  # fmt: skip
