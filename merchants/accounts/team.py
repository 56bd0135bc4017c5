"""Changes of a merchant's team: another role, and leaving it. Executed requests call these."""

from datetime import datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.people import is_invited, joined, take_invitation_back
from compliance.identity.sessions import end_sessions
from compliance.identity.states import Ending
from merchants.access import people_who_may
from merchants.accounts.abilities import TEAM_MANAGE
from merchants.accounts.models import Member, Merchant
from merchants.accounts.states import Role
from merchants.accounts.telling import tell_team_changed
from merchants.errors import MerchantRefusal


class MemberNotFound(MerchantRefusal):
    """The merchant has no such member, or has not any more."""

    code = "member_not_found"


class LastOwner(MerchantRefusal):
    """A merchant that has an owner keeps one who has joined."""

    code = "last_owner"


@transaction.atomic
def change_member_role(
    *, merchant_id: int, member: int, role: Role, reason: str, actor: Actor, at: datetime
) -> Member:
    """Give a member another role; their sessions end. Raises MemberNotFound or LastOwner."""
    merchant, row = _lock(merchant_id, member)
    before = Role(row.role)
    if before is not role:
        _require_owner_left(merchant, row)
    row.role = role
    row.save(update_fields=["role"])
    end_sessions(user=row.user, why=Ending.ROLES, actor=actor, at=at)
    record(
        actor, "member.role_changed", subject=("merchant", merchant.public_id),
        facts={"user": row.user_id, "username": row.user.username, "role": role.value},
        before={"role": before.value}, after={"role": role.value}, reason=reason, at=at,
    )  # fmt: skip
    tell_team_changed(merchant, row, deed="role", doer=actor.person, at=at)
    return row


@transaction.atomic
def remove_member(
    *, merchant_id: int, member: int, reason: str, actor: Actor, at: datetime
) -> Member:
    """Let somebody act for the merchant no more; their sessions end, an open invitation is taken
    back. Raises MemberNotFound or LastOwner.
    """
    merchant, row = _lock(merchant_id, member)
    _require_owner_left(merchant, row)
    row.removed_at = at
    row.save(update_fields=["removed_at"])
    if is_invited(row.user):
        take_invitation_back(user=row.user, actor=actor, at=at)
    end_sessions(user=row.user, why=Ending.ROLES, actor=actor, at=at)
    record(
        actor, "member.removed", subject=("merchant", merchant.public_id),
        facts={"user": row.user_id, "username": row.user.username, "role": row.role},
        before={"role": row.role}, after={"role": ""}, reason=reason, at=at,
    )  # fmt: skip
    tell_team_changed(merchant, row, deed="left", doer=actor.person, at=at)
    return row


def _lock(merchant_id: int, member: int) -> tuple[Merchant, Member]:
    """The merchant's row locked: who decides about the team holds it, see `access.may_at`."""
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    row = merchant.members.filter(pk=member, removed_at__isnull=True).select_related("user").first()
    if row is None:
        raise MemberNotFound(member=member)
    return merchant, row


def _require_owner_left(merchant: Merchant, leaving: Member) -> None:
    if leaving.role != Role.OWNER:
        return
    owners = joined(people_who_may(TEAM_MANAGE, merchant=merchant.public_id))
    if not owners.exclude(pk=leaving.user_id).exists():
        raise LastOwner(merchant=merchant.public_id)
