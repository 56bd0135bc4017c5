"""Creates and revokes API keys."""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import is_number, new_number
from compliance.protection.fields import keyed_digest
from merchants.accounts.abilities import SCOPES
from merchants.accounts.models import ApiKey, Merchant
from merchants.accounts.networks import networks_of
from merchants.accounts.states import STOPPED
from merchants.errors import MerchantRefusal

DIGEST_PURPOSE: Final = "api key"
SECRET_CHARACTERS: Final = 32
VISIBLE_CHARACTERS: Final = 6
LABEL_CHARACTERS_MAX: Final = 64
KEYS_MAX: Final = 50
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


@transaction.atomic
def create_api_key(
    *,
    merchant_id: int,
    livemode: bool,
    label: str,
    scopes: Iterable[str],
    allowed_from: Iterable[str] = (),
    actor: Actor,
    at: datetime,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is kept nowhere and cannot be shown again.

    Raises ScopeUnknown, NetworkMalformed, TooManyNetworks, LiveNotAllowed, TooManyKeys or
    MerchantSuspended.
    """
    wanted = sorted(set(scopes))
    if not wanted or not SCOPES.issuperset(wanted):
        raise ScopeUnknown(scopes=wanted)
    networks = networks_of(allowed_from)
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    if merchant.status in STOPPED:
        raise MerchantSuspended(merchant=merchant.public_id)
    if livemode and (settings.DEMO or not merchant.may_live):
        raise LiveNotAllowed(merchant=merchant.public_id)
    if merchant.api_keys.filter(revoked_at=None).count() >= KEYS_MAX:
        raise TooManyKeys(most=KEYS_MAX)
    start = "sk_live_" if livemode else "sk_test_"
    secret = start + "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARACTERS))
    key = ApiKey.objects.create(
        public_id=new_number("key_"),
        merchant=merchant,
        livemode=livemode,
        label=label.strip()[:LABEL_CHARACTERS_MAX],
        prefix=secret[: len(start) + VISIBLE_CHARACTERS],
        digest=keyed_digest(secret.encode(), purpose=DIGEST_PURPOSE),
        scopes=wanted,
        allowed_from=networks,
        created_by=actor.label,
        created_at=at,
    )
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
        after={"scopes": wanted, "allowed_from": networks},
        at=at,
    )
    return key, secret


@transaction.atomic
def revoke_api_key(*, merchant_id: int, key: str, actor: Actor, at: datetime) -> ApiKey:
    """Make a key useless from the next request on. Revoking it again changes nothing.

    Raises KeyNotFound, also for a key of another merchant.
    """
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
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        record(
            actor,
            "api_key.revoked",
            subject=("merchant", row.merchant.public_id),
            facts={"key": row.public_id, "prefix": row.prefix},
            before={"scopes": row.scopes},
            at=at,
        )
    return row
