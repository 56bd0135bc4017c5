"""What pages show of merchants, members and keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.identity.devices import enrolled_among
from compliance.identity.models import User
from compliance.identity.notices import unread_count
from compliance.identity.people import is_invited
from compliance.numbers import is_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import KEYS_MANAGE
from merchants.accounts.keys import KeyNotFound
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


def name_and_unread(access: MerchantAccess) -> tuple[str, int]:
    """The merchant's name, and how many notices the person has not read: one statement."""
    unread = unread_count(access.actor.person or 0, merchant=access.merchant)
    rows = Merchant.objects.filter(pk=access.merchant_id).annotate(unread=unread)
    name, count = rows.values_list("name", "unread").get()
    return name, count


def list_keys(access: MerchantAccess) -> Sequence[ApiKey]:
    """The merchant's keys in this mode, those that are not revoked first, newest first."""
    require(access, KEYS_MANAGE)
    return list(
        ApiKey.objects.filter(merchant_id=access.merchant_id, livemode=access.livemode)
        .select_related("replaced_by")
        .order_by("revoked_at", "-pk")
    )


def own_key(access: MerchantAccess, key: str) -> ApiKey:
    """One of them, with what replaced it. Raises AccessRefused or KeyNotFound."""
    require(access, KEYS_MANAGE)
    rows = ApiKey.objects.filter(merchant_id=access.merchant_id, livemode=access.livemode)
    found = rows.select_related("replaced_by").filter(public_id=key)
    row = found.first() if is_number(key, "key_") else None
    if row is None:
        raise KeyNotFound(key=key)
    return row


def secret_before(access: MerchantAccess, key: ApiKey, *, at: datetime) -> ApiKey | None:
    """The old secret of a rotated key while it works; None: it has ended, or there was none."""
    require(access, KEYS_MANAGE)
    old = ApiKey.objects.filter(merchant_id=access.merchant_id, replaced_by=key).first()
    return None if old is None or old.is_over(at) else old


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
