"""What pages show of merchants, members and keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.identity.models import User
from compliance.identity.people import is_invited
from merchants.access import MerchantAccess, require
from merchants.accounts.models import ApiKey, Member, Merchant


@dataclass(frozen=True, slots=True)
class Membership:
    """A merchant that a person may work for."""

    merchant: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A person of a merchant, as colleagues see them."""

    name: str
    username: str
    email: str
    role: str
    is_active: bool
    is_invited: bool
    """Whether they have yet to accept the invitation."""
    since: datetime


def memberships_of(user: User) -> Sequence[Membership]:
    """The merchants that a person belongs to, by name."""
    members = Member.objects.filter(user=user).select_related("merchant").order_by("merchant__name")
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
    members = Member.objects.filter(merchant_id=access.merchant_id).select_related("user")
    return [
        TeamMember(
            name=row.user.get_full_name(),
            username=row.user.username,
            email=row.user.email,
            role=row.get_role_display(),
            is_active=row.user.is_active,
            is_invited=is_invited(row.user),
            since=row.created_at,
        )
        for row in members.order_by("pk")
    ]
