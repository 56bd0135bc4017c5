"""Creates and revokes API keys."""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import is_number, new_number
from compliance.protection.fields import keyed_digest
from merchants.accounts.abilities import SCOPES
from merchants.accounts.key_stages import stage_of
from merchants.accounts.models import ApiKey, Merchant
from merchants.accounts.networks import networks_of
from merchants.accounts.states import STOPPED, RevocationReason
from merchants.errors import MerchantRefusal

DIGEST_PURPOSE: Final = "api key"
SECRET_CHARACTERS: Final = 32
VISIBLE_CHARACTERS: Final = 6
LABEL_CHARACTERS_MAX: Final = 64
KEYS_MAX: Final = 50
LIFE_MAX: Final = timedelta(days=5 * 366)
"""The farthest end that may be chosen."""
_ALPHABET: Final = string.ascii_letters + string.digits


class ScopeUnknown(MerchantRefusal):
    """A key was asked for with a scope that does not exist, or with none."""

    code = "scope_unknown"


class LiveNotAllowed(MerchantRefusal):
    """The merchant may not take real money, or the platform is a demo."""

    code = "live_not_allowed"


class TooManyKeys(MerchantRefusal):
    """The merchant has as many usable keys as one may have."""

    code = "too_many_keys"


class KeyNotFound(MerchantRefusal):
    """The merchant has no such key."""

    code = "key_not_found"


class MerchantSuspended(MerchantRefusal):
    """A suspended merchant gets no new key."""

    code = "merchant_suspended"


class ExpiryUnfit(MerchantRefusal):
    """A key is to end before it begins, or later than keys may."""

    code = "expiry_unfit"


class NoteMissing(MerchantRefusal):
    """Who names another reason says which."""

    code = "note_missing"


@transaction.atomic
def create_api_key(
    *,
    merchant_id: int,
    livemode: bool,
    label: str,
    scopes: Iterable[str],
    allowed_from: Iterable[str] = (),
    ends_at: datetime | None = None,
    actor: Actor,
    at: datetime,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is kept nowhere and cannot be shown again.

    Raises ScopeUnknown, NetworkMalformed, TooManyNetworks, ExpiryUnfit, LiveNotAllowed, TooManyKeys
    or MerchantSuspended.
    """
    wanted = sorted(set(scopes))
    if not wanted or not SCOPES.issuperset(wanted):
        raise ScopeUnknown(scopes=wanted)
    networks = networks_of(allowed_from)
    require_fit_end(ends_at, at=at)
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    require_may_have(merchant, livemode=livemode)
    if merchant.api_keys.filter(revoked_at=None, replaced_by=None).count() >= KEYS_MAX:
        raise TooManyKeys(most=KEYS_MAX)
    key, secret = new_key(
        merchant=merchant, livemode=livemode, label=label.strip()[:LABEL_CHARACTERS_MAX],
        scopes=wanted, allowed_from=networks, ends_at=ends_at, created_by=actor.label,
        created_at=at,
    )  # fmt: skip
    record(
        actor,
        "api_key.created",
        subject=("merchant", merchant.public_id),
        facts={
            "key": key.public_id,
            "prefix": key.prefix,
            "live": livemode,
            "scopes": wanted,
        },
        after={"scopes": wanted, "allowed_from": networks, "ends_at": told_end(ends_at)},
        at=at,
    )
    return key, secret


def new_key(*, livemode: bool, **facts: Any) -> tuple[ApiKey, str]:
    """The row of a key and its secret. The verb that calls it has looked at everything."""
    start = "sk_live_" if livemode else "sk_test_"
    secret = start + "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARACTERS))
    ends_at, begins_at = facts["ends_at"], facts["created_at"]
    key = ApiKey.objects.create(
        public_id=new_number("key_"),
        livemode=livemode,
        prefix=secret[: len(start) + VISIBLE_CHARACTERS],
        digest=keyed_digest(secret.encode(), purpose=DIGEST_PURPOSE),
        # Whoever has just chosen a near end knows of it.
        told_days=stage_of(ends_at, at=begins_at),
        **facts,
    )
    return key, secret


def require_may_have(merchant: Merchant, *, livemode: bool) -> None:
    """Raise MerchantSuspended or LiveNotAllowed where the merchant gets no new secret."""
    if merchant.status in STOPPED:
        raise MerchantSuspended(merchant=merchant.public_id)
    if livemode and (settings.DEMO or not merchant.may_live):
        raise LiveNotAllowed(merchant=merchant.public_id)


def require_fit_end(ends_at: datetime | None, *, at: datetime) -> None:
    """Raise ExpiryUnfit unless a key may end then."""
    if ends_at is not None and not at < ends_at <= at + LIFE_MAX:
        raise ExpiryUnfit(years=LIFE_MAX.days // 366)


def told_end(ends_at: datetime | None) -> str:
    """An end as the trail tells it; "" for none."""
    return ends_at.isoformat() if ends_at else ""


@transaction.atomic
def revoke_api_key(
    *,
    merchant_id: int,
    key: str,
    why: RevocationReason | None = None,
    note: str = "",
    actor: Actor,
    at: datetime,
) -> ApiKey:
    """Make a key useless from the next request on. Revoking it again changes nothing.

    `why` is None where the platform itself does, as at the end of the business. Raises NoteMissing,
    or KeyNotFound, also for a key of another merchant.
    """
    if why is RevocationReason.OTHER and not note.strip():
        raise NoteMissing
    if not is_number(key, "key_"):
        raise KeyNotFound(key=key)
    row = (
        ApiKey.objects.select_for_update(of=("self",))
        .select_related("merchant")
        .filter(merchant_id=merchant_id, public_id=key)
        .first()
    )
    if row is None:
        raise KeyNotFound(key=key)
    if row.revoked_at is None:
        row.revoked_at, row.revoked_for = at, why or ""
        row.save(update_fields=["revoked_at", "revoked_for"])
        record(
            actor,
            "api_key.revoked",
            subject=("merchant", row.merchant.public_id),
            facts={"key": row.public_id, "prefix": row.prefix, "why": str(row.revoked_for)},
            before={"scopes": row.scopes},
            reason=note.strip(),
            at=at,
        )
    return row
