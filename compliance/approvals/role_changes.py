"""The first kinds of requests: giving somebody a role, and taking it away."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.pages import admin_page
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.identity.errors import RoleRefused
from compliance.identity.models import RoleGrant, User
from compliance.identity.roles import Ability, grant_role, revoke_role
from compliance.identity.states import StaffRole

GRANT = "role.grant"
REVOKE = "role.revoke"


def request_role(
    *, kind: str, user: User, role: StaffRole, reason: str, maker: User, actor: Actor, at: datetime
) -> Approval:
    """Ask that somebody gets a role (GRANT) or loses it (REVOKE). Raises ApprovalRefused."""
    held = set(RoleGrant.objects.filter(user=user).values_list("role", flat=True))
    if (role in held) == (kind == GRANT):
        raise ApprovalRefused("no_change")
    roles = sorted(held ^ {str(role)})
    return request_approval(
        kind=kind, subject=("user", str(user.pk)), reason=reason, maker=maker, actor=actor, at=at,
        payload={
            "username": user.username, "person": user.display_name, "role": str(role),
            "roles": roles,
        },
    )  # fmt: skip


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    user = User.objects.get(pk=int(subject[1]))
    held = user.role_grants.order_by("role").values_list("role", flat=True)
    return {"username": user.username, "is_active": user.is_active, "roles": list(held)}


def _grant(order: Order) -> None:
    grant_role(
        user=_user(order), role=StaffRole(order.payload["role"]), granted_by=order.maker,
        actor=order.actor, reason=f"{order.number}: {order.reason}", at=order.at,
    )  # fmt: skip


def _revoke(order: Order) -> None:
    revoke_role(
        user=_user(order), role=StaffRole(order.payload["role"]), actor=order.actor,
        reason=f"{order.number}: {order.reason}", at=order.at,
    )  # fmt: skip


def _user(order: Order) -> User:
    return User.objects.get(pk=int(order.subject[1]))


def _concerned(payload: Facts) -> Collection[str]:
    return User.objects.filter(username=payload["username"]).values_list("person_ref", flat=True)


def _explain(refusal: Exception) -> str:
    if not isinstance(refusal, RoleRefused):
        return str(refusal)
    other = StaffRole(refusal.other).label if refusal.other else ""
    told = {
        "person_inactive": _("the account is not active."),
        "role_held": _("the person holds this role already."),
        "role_not_held": _("the person does not hold this role."),
        "role_excluded": _("the person is %(role)s, and nobody holds both.") % {"role": other},
    }
    return told[refusal.code]


WORDS = {
    "username": gettext_lazy("user name"),
    "person": gettext_lazy("person"),
    "role": pgettext_lazy("staff", "role"),
    "roles": gettext_lazy("roles"),
    "is_active": gettext_lazy("active"),
}


ROLES: Final = {role.value: role.label for role in StaffRole}


def register_kinds() -> None:
    """Called once, when the application is ready."""
    for name, label, execute in (
        (GRANT, gettext_lazy("Give a role"), _grant),
        (REVOKE, gettext_lazy("Take a role away"), _revoke),
    ):
        register(
            Kind(
                name=name, label=label, maker=Ability.ROLES_REQUEST, checker=Ability.ROLES_APPROVE,
                look=_look, execute=execute, concerns=_concerned, refusals=(RoleRefused,),
                explain=_explain,
                page=admin_page("compliance_user", User.objects.all(), "pk"),
                words=WORDS, values={"role": ROLES, "roles": ROLES},
            )
        )  # fmt: skip
