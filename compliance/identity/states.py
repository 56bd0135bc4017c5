"""Roles of the staff, why sessions end, and what links in letters are for."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
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


class Ending(TextChoices):
    """Why somebody is not signed in any more."""

    SIGNED_OUT = "signed_out", _("Signed out")
    IDLE = "idle", _("Not used for too long")
    OVER = "over", _("Open for too long")
    BY_OWNER = "by_owner", _("Ended from another browser")
    BY_STAFF = "by_staff", _("Ended by an administrator")
    PASSWORD = "password", _("The password was changed")
    EMAIL = "email", _("The e-mail address was changed")
    ROLES = "roles", _("The roles changed")
    SECOND_FACTOR = "second_factor", _("A second factor was taken away")
    DISABLED = "disabled", _("The account was switched off")


class LinkKind(TextChoices):
    """What a link in a letter is for."""

    INVITATION = "invitation", _("Invitation")
    PASSWORD = "password", _("New password")
    SIGN_IN = "signin", _("Sign in")
    EMAIL = "email", _("New e-mail address")
    EMAIL_UNDO = "email_undo", _("Old e-mail address back")


class CodeMeans(TextChoices):
    """How a code reaches somebody."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")
