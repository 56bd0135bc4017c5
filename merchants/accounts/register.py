"""Registers merchants and their members, and suspends and resumes them."""

from datetime import datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.people import invite
from compliance.numbers import new_number
from merchants.accounts.callback_secret import new_secret, seal_secret
from merchants.accounts.keys import revoke_api_key
from merchants.accounts.models import Member, Merchant
from merchants.accounts.states import MerchantStatus, Role, Suspension
from merchants.accounts.telling import tell_team_changed
from merchants.errors import IllegalMove, MerchantRefusal


class MemberExists(MerchantRefusal):
    """The person belongs to the merchant already."""

    code = "member_exists"


class InvitationRefused(MerchantRefusal):
    """Nobody can be invited under this name or address. Its `code` says which is taken."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]
        self.args = (code,)


@transaction.atomic
def register_merchant(
    *,
    name: str,
    short_name: str = "",
    may_live: bool = False,
    status: MerchantStatus = MerchantStatus.ACTIVE,
    actor: Actor,
    at: datetime,
) -> Merchant:
    """Take a merchant on, with a callback secret of its own.

    The staff register those whose papers they have seen; who registers by themselves is an
    applicant until an application is approved.
    """
    public_id = new_number("mch_", at=at)
    merchant = Merchant.objects.create(
        public_id=public_id,
        name=name,
        short_name=short_name,
        may_live=may_live,
        status=status,
        callback_secret_sealed=seal_secret(new_secret(), merchant=public_id),
        created_at=at,
    )
    record(
        actor,
        "merchant.registered",
        subject=("merchant", public_id),
        facts={"name": name, "may_live": may_live},
        at=at,
    )
    return merchant


@transaction.atomic
def add_member(*, merchant_id: int, user: User, role: Role, actor: Actor, at: datetime) -> Member:
    """Let a person act for a merchant. Raises MemberExists."""
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    if merchant.members.filter(user=user, removed_at__isnull=True).exists():
        raise MemberExists(user=user.username)
    member = Member.objects.create(merchant=merchant, user=user, role=role, created_at=at)
    record(
        actor,
        "member.added",
        subject=("merchant", merchant.public_id),
        facts={"user": user.pk, "username": user.username, "role": role.value},
        after={"role": role.value},
        at=at,
    )
    return member


@transaction.atomic
def invite_member(
    *, merchant_id: int, username: str, display_name: str, email: str, role: Role, actor: Actor,
    at: datetime,
) -> Member:  # fmt: skip
    """Invite somebody new to act for a merchant. Raises InvitationRefused.

    They belong to the team at once and can do nothing before they accept: until then the account
    has no password. Who has an account already is added with `add_member`, and only by the staff:
    a merchant would learn who belongs to another one.
    """
    if User.objects.filter(username__iexact=username).exists():
        raise InvitationRefused("username_taken", username=username)
    if User.objects.filter(email__iexact=email).exists():
        raise InvitationRefused("email_taken")
    user = invite(
        username=username, display_name=display_name, email=email, actor=actor, at=at
    )  # fmt: skip
    member = add_member(merchant_id=merchant_id, user=user, role=role, actor=actor, at=at)
    tell_team_changed(member.merchant, member, deed="invited", doer=actor.person, at=at)
    return member


@transaction.atomic
def suspend_merchant(*, merchant_id: int, reason: str, actor: Actor, at: datetime) -> Merchant:
    """Stop a merchant from doing business; its people and keys still read.

    One whose papers ran out may be suspended by the staff as well. Raises IllegalMove.
    """
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    if merchant.suspended_for == Suspension.STAFF:
        raise IllegalMove(before=merchant.status, after=MerchantStatus.SUSPENDED.value)
    return _move(
        merchant, MerchantStatus.SUSPENDED, suspended_for=Suspension.STAFF, reason=reason,
        actor=actor, at=at,
    )  # fmt: skip


@transaction.atomic
def resume_merchant(*, merchant_id: int, reason: str, actor: Actor, at: datetime) -> Merchant:
    """Let a suspended merchant do business again. Raises IllegalMove."""
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    return _move(merchant, MerchantStatus.ACTIVE, reason=reason, actor=actor, at=at)


@transaction.atomic
def close_merchant(*, merchant_id: int, reason: str, actor: Actor, at: datetime) -> Merchant:
    """End the business with a merchant for good: its keys are void, its people still read.

    Called by an executed approval. Raises IllegalMove.
    """
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    for key in merchant.api_keys.filter(revoked_at__isnull=True):
        revoke_api_key(merchant_id=merchant.pk, key=key.public_id, actor=actor, at=at)
    return _move(merchant, MerchantStatus.CLOSED, reason=reason, actor=actor, at=at)


def _move(
    merchant: Merchant, to: MerchantStatus, *, suspended_for: str = "", reason: str, actor: Actor,
    at: datetime,
) -> Merchant:  # fmt: skip
    """The caller holds the merchant's lock."""
    before = merchant.status
    merchant.move(to, at=at, suspended_for=suspended_for)
    record(
        actor,
        f"merchant.{to.value}",
        subject=("merchant", merchant.public_id),
        before={"status": str(before)},
        after={"status": str(to)},
        reason=reason,
        at=at,
    )
    return merchant
