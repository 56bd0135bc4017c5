"""All models of this storey, so that Django finds them."""

from compliance.approvals.models import Approval, Vote
from compliance.audit.models import AuditEntry, AuditProgress, AuditSeal
from compliance.identity.models import Authenticator, RoleGrant, StepUp, User
from compliance.protection.models import DataKey

__all__ = [
    "Approval", "AuditEntry", "AuditProgress", "AuditSeal", "Authenticator", "DataKey",
    "RoleGrant", "StepUp", "User", "Vote",
]  # fmt: skip
