"""Asking for changes of a merchant's team. What gives somebody power, or takes it from an owner,
needs a second owner where there is one; the rest an owner decides alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.identity.models import User
from compliance.identity.people import is_invited, send_invitation
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import OF_ROLE, TEAM_MANAGE
from merchants.accounts.colleagues import COLLEAGUES
from merchants.accounts.models import Member, Merchant
from merchants.accounts.register import InvitationRefused, invite_member
from merchants.accounts.states import Role
from merchants.accounts.team import LastOwner, MemberNotFound, change_member_role, remove_member
from merchants.errors import AccessRefused, MerchantRefusal
from merchants.words import refusal_text

INVITE: Final = "team.invite"
ROLE: Final = "team.role"
REMOVE: Final = "team.remove"


def must_agree(*, before: Role | None, after: Role | None) -> bool:
    """Whether a second owner must agree to a step from one role to another; None: not in the team.

    An owner's rights are never touched by one other owner alone, else two owners could throw each
    other out; and nobody gains a right to anything but reading without two of them.
    """
    had = OF_ROLE[before] if before else frozenset()
    has = OF_ROLE[after] if after else frozenset()
    return before is Role.OWNER or not has <= had | OF_ROLE[Role.READ_ONLY]


def ask_to_invite(
    *, access: MerchantAccess, maker: User, username: str, display_name: str, email: str,
    role: Role, reason: str, at: datetime,
) -> Approval:  # fmt: skip
    """Ask that somebody new joins the team. Raises AccessRefused, ApprovalRefused, and what
    `invite_member` raises where nobody else has to agree.
    """
    require(access, TEAM_MANAGE)
    payload = {
        "person": display_name, "username": username, "email": email, "role": role.value,
        "must_agree": _count(access, maker, before=None, after=role),
    }  # fmt: skip
    return _ask(
        INVITE, ("username", username), payload, access=access, maker=maker, reason=reason, at=at
    )


def ask_for_role(
    *, access: MerchantAccess, maker: User, member: int, role: Role, reason: str, at: datetime
) -> Approval:
    """Ask that a member gets another role. Raises AccessRefused, ApprovalRefused (no_change among
    them), MemberNotFound, LastOwner.
    """
    row = member_of(access, member)
    if row.role == role:
        raise ApprovalRefused("no_change")
    payload = {
        "person": row.user.display_name, "username": row.user.username, "role": role.value,
        "must_agree": _count(access, maker, before=Role(row.role), after=role),
    }  # fmt: skip
    return _ask(
        ROLE, ("member", str(row.pk)), payload, access=access, maker=maker, reason=reason, at=at
    )


def ask_to_remove(
    *, access: MerchantAccess, maker: User, member: int, reason: str, at: datetime
) -> Approval:
    """Ask that a member leaves. Raises what `ask_for_role` does."""
    row = member_of(access, member)
    payload = {
        "person": row.user.display_name, "username": row.user.username, "role": "",
        "must_agree": _count(access, maker, before=Role(row.role), after=None),
    }  # fmt: skip
    return _ask(
        REMOVE, ("member", str(row.pk)), payload, access=access, maker=maker, reason=reason, at=at
    )


def invite_again(*, access: MerchantAccess, member: int, at: datetime) -> None:
    """Send the letter once more to somebody who has not accepted yet: only the last one opens
    anything. Raises AccessRefused, or MemberNotFound also for somebody who has joined.
    """
    row = member_of(access, member)
    if not is_invited(row.user):
        raise MemberNotFound(member=member)
    send_invitation(user=row.user, actor=access.actor, at=at)


def member_of(access: MerchantAccess, member: int) -> Member:
    """A member of the caller's own team. Raises AccessRefused or MemberNotFound."""
    require(access, TEAM_MANAGE)
    found = (
        Member.objects.filter(pk=member, merchant_id=access.merchant_id, removed_at__isnull=True)
        .select_related("user")
        .first()
    )
    if found is None:
        raise MemberNotFound(member=member)
    return found


def _count(access: MerchantAccess, maker: User, *, before: Role | None, after: Role | None) -> int:
    owners = COLLEAGUES.checkers(TEAM_MANAGE, merchant=access.merchant)
    is_alone = not owners.exclude(person_ref=maker.person_ref).exists()
    return int(must_agree(before=before, after=after) and not is_alone)


def _ask(
    kind: str, subject: tuple[str, str], payload: Facts, *, access: MerchantAccess, maker: User,
    reason: str, at: datetime,
) -> Approval:  # fmt: skip
    return request_approval(
        kind=kind, subject=subject, payload=payload, reason=reason, maker=maker,
        actor=access.actor, merchant=access.merchant, at=at,
    )  # fmt: skip


def _nothing_yet(subject: tuple[str, str], payload: Facts) -> Facts:
    return {}


def _role_now(subject: tuple[str, str], payload: Facts) -> Facts:
    member = Member.objects.filter(pk=int(subject[1]), removed_at__isnull=True).first()
    return {"role": member.role if member else ""}


def _invite(order: Order) -> Facts:
    payload = order.payload
    member = invite_member(
        merchant_id=_merchant(order), username=payload["username"],
        display_name=payload["person"], email=payload["email"], role=Role(payload["role"]),
        actor=order.actor, at=order.at,
    )  # fmt: skip
    return {"member": member.pk}


def _change(order: Order) -> None:
    change_member_role(
        merchant_id=_merchant(order), member=int(order.subject[1]),
        role=Role(order.payload["role"]), reason=f"{order.number}: {order.reason}",
        actor=order.actor, at=order.at,
    )  # fmt: skip


def _remove(order: Order) -> None:
    remove_member(
        merchant_id=_merchant(order), member=int(order.subject[1]),
        reason=f"{order.number}: {order.reason}", actor=order.actor, at=order.at,
    )  # fmt: skip


def _merchant(order: Order) -> int:
    return Merchant.objects.only("pk").get(public_id=order.merchant).pk


def _needed(payload: Facts) -> int:
    return int(payload["must_agree"])


def _explain(refusal: Exception) -> str:
    return refusal_text(refusal) if isinstance(refusal, MerchantRefusal) else str(refusal)


WORDS: Final[Mapping[str, str | Promise]] = {
    "person": gettext_lazy("person"),
    "username": gettext_lazy("user name"),
    "email": gettext_lazy("email address"),
    "role": pgettext_lazy("staff", "role"),
    "must_agree": "",
}


def register_kinds() -> None:
    """Called once, when the application is ready."""
    for name, label, look, execute in (
        (INVITE, gettext_lazy("Invite somebody to the team"), _nothing_yet, _invite),
        (ROLE, gettext_lazy("Change the role of a colleague"), _role_now, _change),
        (REMOVE, gettext_lazy("Take a colleague out of the team"), _role_now, _remove),
    ):
        register(
            Kind(
                name=name, label=label, judge=COLLEAGUES, maker=TEAM_MANAGE, checker=TEAM_MANAGE,
                look=look, execute=execute, needed=_needed, explain=_explain, words=WORDS,
                refusals=(InvitationRefused, LastOwner, MemberNotFound, AccessRefused),
                values={"role": {role.value: role.label for role in Role}},
            )
        )  # fmt: skip
