"""Who may see and do what: the only place that answers, for programs and for people."""

import re
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from compliance.audit.actor import Actor
from compliance.database import prepared
from compliance.identity.models import User
from compliance.numbers import is_number
from compliance.protection.fields import keyed_digests
from merchants.accounts.abilities import ASKING, OF_ROLE, READING, TAKING
from merchants.accounts.keys import DIGEST_PURPOSE
from merchants.accounts.models import Member, Merchant
from merchants.accounts.networks import comparable
from merchants.accounts.states import STOPPED, Role, Suspension
from merchants.errors import AccessRefused

_SECRET: Final = re.compile(r"sk_(test|live)_[A-Za-z0-9]{32}")


@dataclass(frozen=True, slots=True)
class MerchantAccess:
    """The merchant that a caller acts for, in one mode, and what the caller may do there."""

    merchant_id: int
    merchant: str
    livemode: bool
    abilities: frozenset[str]
    actor: Actor
    is_suspended: bool = False
    status: str = ""
    """Of the merchant, where a person asks."""
    suspended_for: str = ""
    key_id: int | None = None
    """The row of the API key, for `KEY_STANDS`. None: a person."""


def require(access: MerchantAccess, ability: str) -> None:
    """Raise AccessRefused (`merchant_suspended` or `ability_missing`) unless the caller may."""
    if ability in access.abilities:
        return
    if access.is_suspended and ability not in READING:
        raise AccessRefused("merchant_suspended", merchant=access.merchant)
    raise AccessRefused("ability_missing", ability=ability)


_FROM_HERE: Final = """(
  cardinality(k.allowed_from) = 0
  OR NULLIF(%(address)s::text, '')::inet <<= ANY (k.allowed_from::inet[])
)"""
# An address that cannot be told is in no network.

_OVER: Final = """
CASE WHEN k.revoked_at IS NOT NULL THEN 'key_revoked'
     WHEN k.ends_at <= clock_timestamp() AND k.replaced_by_id IS NULL THEN 'key_expired'
     WHEN k.ends_at <= clock_timestamp() THEN 'key_unknown'
     ELSE '' END
"""
# A secret that was replaced is told apart from none that ever was by nobody.

_FIND: Final = f"""
SELECT k.id, k.public_id, k.prefix, k.label, k.livemode, k.scopes, {_OVER},
       m.id, m.public_id, m.status, m.suspended_for, m.may_live,
       k.digest <> %(current)s
       OR k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute',
       coalesce({_FROM_HERE}, false)
  FROM merchants_apikey k JOIN merchants_merchant m ON m.id = k.merchant_id
 WHERE k.digest = ANY(%(digests)s::bytea[])
"""  # noqa: S608
# The digests are sent as the text of an array: psycopg takes longer over lists than over the rest.

KEY_STANDS: Final = f"""
SELECT FROM merchants_apikey k JOIN merchants_merchant m ON m.id = k.merchant_id
 WHERE k.id = %(key_id)s AND k.revoked_at IS NULL
   AND (k.ends_at IS NULL OR k.ends_at > clock_timestamp())
   AND m.status NOT IN ('suspended', 'closed')
   AND (m.may_live OR NOT k.livemode) AND {_FROM_HERE}
"""
"""Whether a key may still be used for anything, as part of the statement that it is used for, from
the `comparable` address.
"""

_STANDING: Final = f"""
SELECT {_OVER}, m.status, m.may_live OR NOT k.livemode,
       coalesce({_FROM_HERE}, false)
  FROM merchants_apikey k JOIN merchants_merchant m ON m.id = k.merchant_id
 WHERE k.id = %(key_id)s
"""  # noqa: S608

_USED: Final = """
UPDATE merchants_apikey SET last_used_at = now(), last_used_from = %(address)s, digest = %(current)s
 WHERE id = (SELECT id FROM merchants_apikey WHERE id = %(id)s FOR UPDATE SKIP LOCKED)
"""
# Whoever finds the row locked leaves it: another request is noting the same minute.


RECENT_SECONDS: Final = 30.0
RECENT_MAX: Final = 4096
_recent: Final[dict[bytes, tuple[float, MerchantAccess]]] = {}
"""What this process found out lately, by the key's digest."""


def by_api_key(bearer: str, *, address: str, agent: str = "") -> MerchantAccess:
    """What the bearer of an API key may do. One prepared statement.

    Raises AccessRefused: key_missing, key_unknown (also for a secret that was replaced, after its
    time), key_revoked, key_expired, wrong_mode or address_not_allowed. A suspended merchant's keys
    still read; `require` refuses the rest.
    """
    return _look_up(_digests_of(bearer), address=address, agent=agent)


def by_recent_api_key(bearer: str, *, address: str, agent: str = "") -> MerchantAccess:
    """The same, perhaps as it was seconds ago, for a caller whose one statement asks KEY_STANDS.

    So a busy merchant's key is not looked up for every payment, and yet a revoked one makes none.
    Where the statement finds that the key does not stand, the caller calls `confirm`.
    """
    digests = _digests_of(bearer)
    looked_at, access = _recent.get(digests[0], (0.0, None))
    now = monotonic()
    if access is not None and now - looked_at < RECENT_SECONDS:
        return replace(access, actor=replace(access.actor, address=address, agent=agent))
    access = _look_up(digests, address=address, agent=agent)
    if not access.is_suspended:
        if len(_recent) >= RECENT_MAX:
            _recent.clear()
        _recent[digests[0]] = (now, access)
    return access


def confirm(access: MerchantAccess) -> None:
    """Raise AccessRefused unless the key behind this access still stands."""
    if access.key_id is None:
        return
    facts = {"key_id": access.key_id, "address": comparable(access.actor.address)}
    rows = prepared(_STANDING, facts)
    over, status, is_right_mode, is_here = rows[0] if rows else ("key_revoked", "", False, False)
    if over:
        raise AccessRefused(over)
    if not is_right_mode:
        raise AccessRefused("wrong_mode")
    if not is_here:
        raise AccessRefused("address_not_allowed", by=access.actor)
    if status in STOPPED:
        raise AccessRefused("merchant_suspended", merchant=access.merchant)


def _digests_of(bearer: str) -> list[bytes]:
    """The digests under which the key may be stored, the current one first."""
    if not bearer:
        raise AccessRefused("key_missing")
    shape = _SECRET.fullmatch(bearer)
    if shape is None:
        raise AccessRefused("key_unknown")
    if shape[1] == "live" and settings.DEMO:
        raise AccessRefused("wrong_mode")
    return keyed_digests(bearer.encode(), purpose=DIGEST_PURPOSE)


def _look_up(digests: list[bytes], *, address: str, agent: str) -> MerchantAccess:
    array = "{" + ",".join(rf"\\x{digest.hex()}" for digest in digests) + "}"
    here = comparable(address)
    rows = prepared(_FIND, {"current": digests[0], "digests": array, "address": here})
    if not rows:
        raise AccessRefused("key_unknown")
    (
        key_id, key, prefix, label, livemode, scopes, over,
        merchant_id, merchant, status, suspended_for, may_live, is_note_due,
        is_here,
    ) = rows[0]  # fmt: skip
    if over:
        raise AccessRefused(over)
    if livemode and not may_live:
        raise AccessRefused("wrong_mode")
    actor = Actor("api_key", key, f"{prefix}… {label}".rstrip(), address, agent=agent)
    if not is_here:
        raise AccessRefused("address_not_allowed", by=actor)
    if is_note_due:
        prepared(_USED, {"current": digests[0], "id": key_id, "address": here})
    is_suspended = status in STOPPED
    return MerchantAccess(
        merchant_id=merchant_id,
        merchant=merchant,
        livemode=livemode,
        abilities=_left(frozenset(scopes), status, suspended_for),
        actor=actor,
        is_suspended=is_suspended,
        key_id=key_id,
    )


def by_member(
    user: User, merchant_public_id: str | None, *, address: str, agent: str = ""
) -> MerchantAccess:
    """What a person may do at a merchant, or at their only one when none is named.

    Raises AccessRefused: merchant_unknown (also for a merchant the person does not belong to),
    merchant_not_chosen, or membership_missing.
    """
    if not user.is_active:
        raise AccessRefused("membership_missing")
    members = Member.objects.filter(user=user, removed_at__isnull=True).select_related("merchant")
    if merchant_public_id is not None:
        named = members.filter(merchant__public_id=merchant_public_id)
        member = named.first() if is_number(merchant_public_id, "mch_") else None
        if member is None:
            raise AccessRefused("merchant_unknown", merchant=merchant_public_id)
    else:
        first_two = list(members[:2])
        if len(first_two) > 1:
            raise AccessRefused("merchant_not_chosen")
        if not first_two:
            raise AccessRefused("membership_missing")
        member = first_two[0]
    merchant = member.merchant
    is_suspended = merchant.status in STOPPED
    return MerchantAccess(
        merchant_id=merchant.pk,
        merchant=merchant.public_id,
        livemode=merchant.may_live and not settings.DEMO,
        abilities=_of_member(member),
        actor=Actor(
            "user",
            str(user.pk),
            user.username,
            address,
            person=user.pk,
            role=member.role,
            agent=agent,
        ),
        is_suspended=is_suspended,
        status=merchant.status,
        suspended_for=merchant.suspended_for,
    )


def may_at(user: User, ability: str, *, merchant: str) -> bool:
    """Whether a person may do something at a merchant, as the rows stand now.

    Called in the transaction of the deed: it locks the merchant's row, which everybody holds who
    changes the team or the status.
    """
    if not user.is_active:
        return False
    Merchant.objects.select_for_update(no_key=True).filter(public_id=merchant).first()
    member = (
        Member.objects.filter(user=user, merchant__public_id=merchant, removed_at__isnull=True)
        .select_related("merchant")
        .first()
    )
    return member is not None and ability in _of_member(member)


def people_who_may(ability: str, *, merchant: str) -> QuerySet[User]:
    """The merchant's active people whose role gives the ability."""
    roles = [role for role, abilities in OF_ROLE.items() if ability in abilities]
    members = Member.objects.filter(
        merchant__public_id=merchant, role__in=roles, removed_at__isnull=True
    )
    return User.objects.filter(is_active=True, pk__in=members.values("user"))


def _of_member(member: Member) -> frozenset[str]:
    merchant = member.merchant
    return _left(OF_ROLE[Role(member.role)], merchant.status, merchant.suspended_for)


def _left(abilities: frozenset[str], status: str, suspended_for: str) -> frozenset[str]:
    """What is left of them: whose papers ran out gives money back and renews, but takes none.
    Everybody may ask support why.
    """
    if status not in STOPPED:
        return abilities
    if suspended_for == Suspension.PAPERS:
        return abilities - TAKING
    return abilities & (READING | ASKING)
