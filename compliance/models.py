"""All models of this storey, so that Django finds them."""

from compliance.audit.models import AuditEntry, AuditProgress, AuditSeal
from compliance.identity.models import Authenticator, RoleGrant, User

__all__ = ["AuditEntry", "AuditProgress", "AuditSeal", "Authenticator", "RoleGrant", "User"]
