"""What each staff role may do, which roles exclude each other, and the verbs that change roles.

A room of a storey above asks `may(user, Ability.…)`. Django's admin asks through `backend`, which
reads the same table. Being superuser gives no ability: that account is for breaking glass.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.errors import RoleRefused
from compliance.identity.models import RoleGrant, User
from compliance.identity.sessions import end_sessions
from compliance.identity.states import Ending, StaffRole


class Ability(StrEnum):
    """One thing that only some of the staff may do."""

    PEOPLE_MANAGE = "people.manage"
    ROLES_REQUEST = "roles.request"
    ROLES_APPROVE = "roles.approve"
    SECOND_FACTOR_REQUEST = "second_factor.request"
    SECOND_FACTOR_APPROVE = "second_factor.approve"
    PAYMENTS_VIEW = "payments.view"
    PAYMENTS_ASK = "payments.ask"
    PAYMENTS_CLOSE = "payments.close"
    PAYMENTS_EXPORT = "payments.export"
    REFUNDS_REQUEST = "refunds.request"
    REFUNDS_APPROVE = "refunds.approve"
    MERCHANTS_REQUEST = "merchants.request"
    MERCHANTS_APPROVE = "merchants.approve"
    CHANNELS_REQUEST = "channels.request"
    CHANNELS_APPROVE = "channels.approve"
    BOOKS_REQUEST = "books.request"
    BOOKS_APPROVE = "books.approve"
    RISK_RULES_REQUEST = "risk_rules.request"
    RISK_RULES_APPROVE = "risk_rules.approve"
    REPORTS_PREPARE = "reports.prepare"
    REPORTS_APPROVE = "reports.approve"
    RETENTION_REQUEST = "retention.request"
    RETENTION_APPROVE = "retention.approve"
    AUDIT_VIEW = "audit.view"
    AUDIT_EXPORT = "audit.export"
    EVIDENCE_ADD = "evidence.add"
    EVIDENCE_VIEW = "evidence.view"
    REVEAL = "protection.reveal"
    GLASS_REVIEW = "approvals.review"
    TICKETS_ANSWER = "tickets.answer"
    JOBS_RUN = "jobs.run"


_R: Final = StaffRole
_A: Final = Ability

ABILITIES: Final[Mapping[StaffRole, frozenset[Ability]]] = {
    _R.ADMINISTRATOR: frozenset({
        _A.PEOPLE_MANAGE, _A.ROLES_REQUEST, _A.SECOND_FACTOR_REQUEST, _A.PAYMENTS_VIEW,
        _A.CHANNELS_REQUEST, _A.JOBS_RUN,
    }),
    _R.OPERATOR: frozenset({
        _A.PAYMENTS_VIEW, _A.REFUNDS_REQUEST, _A.MERCHANTS_REQUEST, _A.CHANNELS_REQUEST,
        _A.SECOND_FACTOR_REQUEST, _A.AUDIT_VIEW, _A.TICKETS_ANSWER, _A.JOBS_RUN,
        _A.PAYMENTS_ASK, _A.PAYMENTS_CLOSE, _A.PAYMENTS_EXPORT,
    }),
    _R.OPERATOR_CHECKER: frozenset({
        _A.PAYMENTS_VIEW, _A.REFUNDS_APPROVE, _A.MERCHANTS_APPROVE, _A.CHANNELS_APPROVE,
        _A.SECOND_FACTOR_APPROVE, _A.BOOKS_APPROVE, _A.AUDIT_VIEW, _A.TICKETS_ANSWER,
        _A.PAYMENTS_ASK,
    }),
    _R.FINANCE: frozenset({
        _A.PAYMENTS_VIEW, _A.BOOKS_REQUEST, _A.REFUNDS_REQUEST, _A.TICKETS_ANSWER,
        _A.PAYMENTS_ASK, _A.PAYMENTS_EXPORT,
    }),
    _R.RISK: frozenset({
        _A.PAYMENTS_VIEW, _A.RISK_RULES_REQUEST, _A.AUDIT_VIEW, _A.TICKETS_ANSWER,
        _A.PAYMENTS_ASK, _A.PAYMENTS_EXPORT,
    }),
    _R.COMPLIANCE_OFFICER: frozenset({
        _A.PAYMENTS_VIEW, _A.ROLES_REQUEST, _A.REPORTS_PREPARE, _A.RETENTION_REQUEST,
        _A.AUDIT_VIEW, _A.AUDIT_EXPORT, _A.REVEAL, _A.EVIDENCE_ADD, _A.EVIDENCE_VIEW,
        _A.PAYMENTS_EXPORT,
    }),
    _R.COMPLIANCE_APPROVER: frozenset({
        _A.PAYMENTS_VIEW, _A.ROLES_APPROVE, _A.SECOND_FACTOR_APPROVE, _A.REPORTS_APPROVE,
        _A.RETENTION_APPROVE, _A.RISK_RULES_APPROVE, _A.GLASS_REVIEW, _A.AUDIT_VIEW,
        _A.AUDIT_EXPORT, _A.EVIDENCE_VIEW,
    }),
    _R.AUDITOR: frozenset({
        _A.PAYMENTS_VIEW, _A.AUDIT_VIEW, _A.AUDIT_EXPORT, _A.EVIDENCE_VIEW,
        _A.PAYMENTS_EXPORT,
    }),
}  # fmt: skip

_SHOWN: Final = frozenset({"payments.view", "merchants.view", "compliance.view_approval"})

ADMIN_PAGES: Final[Mapping[StaffRole, frozenset[str]]] = {
    _R.ADMINISTRATOR: _SHOWN | {
        "compliance.view_user", "compliance.add_user", "compliance.change_user",
        "compliance.view_rolegrant", "compliance.view_authenticator", "compliance.view_job",
    },
    _R.OPERATOR: _SHOWN | {"compliance.view_auditentry", "compliance.view_job"},
    _R.OPERATOR_CHECKER: _SHOWN | {"compliance.view_auditentry", "compliance.view_job"},
    _R.FINANCE: _SHOWN,
    _R.RISK: _SHOWN | {"compliance.view_auditentry"},
    _R.COMPLIANCE_OFFICER: _SHOWN | {"compliance.view"},
    _R.COMPLIANCE_APPROVER: _SHOWN | {"compliance.view"},
    _R.AUDITOR: _SHOWN | {"compliance.view"},
}  # fmt: skip
"""What the admin lets a role do: a permission of Django, or `application.action` for all models."""

DESK_ROLES: Final = frozenset({_R.COMPLIANCE_OFFICER, _R.COMPLIANCE_APPROVER, _R.AUDITOR})
"""Whose work begins at the compliance desk."""

SUPERUSER: Final = "superuser"

EXCLUDED: Final[frozenset[frozenset[StaffRole]]] = frozenset(
    frozenset(pair)
    for pair in (
        # Who runs the system, who guards it and who looks at both are different people.
        (_R.ADMINISTRATOR, _R.COMPLIANCE_OFFICER),
        (_R.ADMINISTRATOR, _R.COMPLIANCE_APPROVER),
        # Who asks does not check.
        (_R.OPERATOR, _R.OPERATOR_CHECKER),
        (_R.FINANCE, _R.OPERATOR_CHECKER),
        (_R.COMPLIANCE_OFFICER, _R.COMPLIANCE_APPROVER),
        *((_R.AUDITOR, role) for role in _R if role != _R.AUDITOR),
    )
)
"""Pairs that no person holds together, in whatever accounts. A trigger says the same."""


def roles_of(user: User) -> frozenset[StaffRole]:
    """The roles of an active person, as they stand in the database now."""
    if not user.is_active or user.pk is None:
        return frozenset()
    held = RoleGrant.objects.filter(user_id=user.pk).values_list("role", flat=True)
    return frozenset(StaffRole(role) for role in held)


def role_names(user: User) -> str:
    """The roles for an audit entry, as they stand now; the account for emergencies says so."""
    return ",".join(sorted(roles_of(user))) or (SUPERUSER if user.is_superuser else "")


def may(user: User, ability: Ability) -> bool:
    """Whether one of the person's roles gives the ability."""
    return any(ability in ABILITIES[role] for role in roles_of(user))


def is_founded() -> bool:
    """Whether there are people who can change roles by an approval, one asking, one agreeing."""
    held = RoleGrant.objects.filter(user__is_active=True).values_list("role", flat=True)
    abilities = {ability for role in held for ability in ABILITIES[StaffRole(role)]}
    return {Ability.ROLES_REQUEST, Ability.ROLES_APPROVE} <= abilities


@transaction.atomic
def grant_role(
    *,
    user: User,
    role: StaffRole,
    actor: Actor,
    at: datetime,
    granted_by: User | None = None,
    reason: str = "",
) -> RoleGrant:
    """Give a role; the person signs in anew to use it.

    Called by an executed approval, and by the installation for its first people.
    Raises RoleRefused: person_inactive, role_held, or role_excluded by a role that the same person
    holds, perhaps in another account.
    """
    locked, held = _lock(user)
    if not locked.is_active:
        raise RoleRefused("person_inactive", role=role)
    if RoleGrant.objects.filter(user=locked, role=role).exists():
        raise RoleRefused("role_held", role=role)
    for other in sorted(held):
        if frozenset({role, other}) in EXCLUDED:
            raise RoleRefused("role_excluded", role=role, other=other)
    grant = RoleGrant.objects.create(user=locked, role=role, granted_by=granted_by, granted_at=at)
    _set_staff(locked, is_staff=True)
    end_sessions(user=locked, why=Ending.ROLES, actor=actor, at=at)
    _tell("role.granted", locked, role, actor=actor, reason=reason, at=at)
    return grant


@transaction.atomic
def revoke_role(
    *, user: User, role: StaffRole, actor: Actor, at: datetime, reason: str = ""
) -> None:
    """Take a role away and end the person's sessions; with the last one the admin closes.

    Raises RoleRefused: role_not_held.
    """
    locked, _held = _lock(user)
    gone, _each = RoleGrant.objects.filter(user=locked, role=role).delete()
    if not gone:
        raise RoleRefused("role_not_held", role=role)
    if not locked.is_superuser:
        _set_staff(locked, is_staff=RoleGrant.objects.filter(user=locked).exists())
    end_sessions(user=locked, why=Ending.ROLES, actor=actor, at=at)
    _tell("role.revoked", locked, role, actor=actor, reason=reason, at=at)


def _lock(user: User) -> tuple[User, frozenset[StaffRole]]:
    """Lock every account of the person; the account asked about, and the roles in all of them."""
    person = User.objects.values_list("person_ref", flat=True).get(pk=user.pk)
    accounts = User.objects.select_for_update().filter(person_ref=person).order_by("pk")
    locked = {account.pk: account for account in accounts}
    held = RoleGrant.objects.filter(user_id__in=locked).values_list("role", flat=True)
    return locked[user.pk], frozenset(StaffRole(role) for role in held)


def _set_staff(user: User, *, is_staff: bool) -> None:
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])


def _tell(
    deed: str, user: User, role: StaffRole, *, actor: Actor, reason: str, at: datetime
) -> None:
    facts, now = {"username": user.username, "role": str(role)}, roles_of(user)
    before = now - {role} if deed == "role.granted" else now | {role}
    record(
        actor, deed, subject=("user", str(user.pk)), facts=facts, before={"roles": sorted(before)},
        after={"roles": sorted(now)}, reason=reason, at=at,
    )  # fmt: skip
