"""All models of this storey, so that Django finds them."""

from compliance.approvals.models import Approval, Vote
from compliance.audit.models import AuditBlock, AuditEntry, AuditProgress, AuditSeal, AuditStamp
from compliance.identity.email_models import EmailChange
from compliance.identity.models import (
    Authenticator,
    BrowserSession,
    Letter,
    MailedLink,
    Phone,
    RecoverySheet,
    RoleGrant,
    SentCode,
    User,
)
from compliance.identity.notice_models import Notice
from compliance.identity.stepup_models import StepUp
from compliance.jobs.models import Job, JobRun
from compliance.protection.models import DataKey
from compliance.protection.vault.models import StoredFile
from compliance.reports.models import Report
from compliance.retention.models import Erasure

__all__ = [
    "Approval", "AuditBlock", "AuditEntry", "AuditProgress", "AuditSeal", "AuditStamp",
    "Authenticator", "BrowserSession", "DataKey", "EmailChange", "Erasure", "Job", "JobRun",
    "Letter", "MailedLink", "Notice", "Phone", "RecoverySheet", "Report", "RoleGrant", "SentCode",
    "StepUp", "StoredFile", "User", "Vote",
]  # fmt: skip
