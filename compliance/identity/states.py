"""The roles that a person of the staff can hold."""

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class StaffRole(TextChoices):
    """What somebody was hired for. What each may do stands in `roles`."""

    ADMINISTRATOR = "administrator", pgettext_lazy("staff role", "Administrator")
    OPERATOR = "operator", pgettext_lazy("staff role", "Operator")
    OPERATOR_CHECKER = "operator_checker", pgettext_lazy("staff role", "Operator's checker")
    FINANCE = "finance", pgettext_lazy("staff role", "Finance")
    RISK = "risk", pgettext_lazy("staff role", "Risk")
    COMPLIANCE_OFFICER = "compliance_officer", pgettext_lazy("staff role", "Compliance officer")
    COMPLIANCE_APPROVER = "compliance_approver", pgettext_lazy("staff role", "Compliance approver")
    AUDITOR = "auditor", pgettext_lazy("staff role", "Auditor")
