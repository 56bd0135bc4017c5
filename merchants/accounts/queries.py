"""What pages show of merchants, members and keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.identity.devices import enrolled_among
from compliance.identity.models import User
from compliance.identity.people import is_invited
from merchants.access import MerchantAccess, require
from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.accounts.states import Role


@dataclass(frozen=True, slots=True)
class Membership:
    """A merchant that a person may work for."""

    merchant: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A person of a merchant, as colleagues see them."""

    row: int
    name: str
    username: str
    email: str
    role: Role
    is_active: bool
    is_invited: bool
    """Whether they have yet to accept the invitation."""
    has_factor: bool
    """Whether they have enrolled a second factor."""
    since: datetime


def memberships_of(user: User) -> Sequence[Membership]:
    """The merchants that a person belongs to, by name."""
    members = (
        Member.objects.filter(user=user, removed_at__isnull=True)
        .select_related("merchant")
        .order_by("merchant__name")
    )
    return [
        Membership(row.merchant.public_id, row.merchant.name, row.get_role_display())
        for row in members
    ]


def merchant_name(access: MerchantAccess) -> str:
    """The name of the merchant that the caller acts for."""
    return Merchant.objects.only("name").get(pk=access.merchant_id).name


def list_keys(access: MerchantAccess) -> Sequence[ApiKey]:
    """The merchant's keys in this mode, usable ones first, newest first."""
    require(access, "keys.manage")
    return list(
        ApiKey.objects.filter(merchant_id=access.merchant_id, livemode=access.livemode).order_by(
            "revoked_at", "-pk"
        )
    )


def list_team(access: MerchantAccess) -> Sequence[TeamMember]:
    """The merchant's people. Whoever may read payments may see colleagues."""
    require(access, "payments.read")
    members = Member.objects.filter(
        merchant_id=access.merchant_id, removed_at__isnull=True
    ).select_related("user")
    rows = list(members.order_by("pk"))
    enrolled = enrolled_among([row.user_id for row in rows])
    return [
        TeamMember(
            row=row.pk,
            name=row.user.get_full_name(),
            username=row.user.username,
            email=row.user.email,
            role=Role(row.role),
            is_active=row.user.is_active,
            is_invited=is_invited(row.user),
            has_factor=row.user_id in enrolled,
            since=row.created_at,
        )
        for row in rows
    ]
