"""Changes what an API key is bound to: the addresses that may use it, and when it ends."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from compliance.audit.trail import record
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import KEYS_MANAGE
from merchants.accounts.key_stages import stage_of
from merchants.accounts.keys import require_fit_end, told_end
from merchants.accounts.models import ApiKey
from merchants.accounts.networks import networks_of
from merchants.accounts.queries import own_key
from merchants.errors import MerchantRefusal


class KeyOver(MerchantRefusal):
    """The key was revoked or has ended: nothing about it changes any more."""

    code = "key_over"


class KeyReplaced(MerchantRefusal):
    """The key has a new secret already; this old one only waits for its end."""

    code = "key_replaced"


@transaction.atomic
def allow_key_from(
    *, access: MerchantAccess, key: str, networks: Iterable[str], at: datetime
) -> ApiKey:
    """Name the networks that may use a key from the next request on; none: anywhere.

    A secret that still overlaps is held to the same list. The caller has asked for the second
    factor. Raises AccessRefused, KeyNotFound, KeyOver, KeyReplaced, NetworkMalformed or
    TooManyNetworks.
    """
    wanted = networks_of(networks)
    row = lock_key(access, key, at=at)
    if row.allowed_from == wanted:
        return row
    before, row.allowed_from = row.allowed_from, wanted
    row.save(update_fields=["allowed_from"])
    ApiKey.objects.filter(replaced_by=row).update(allowed_from=wanted)
    record(
        access.actor, "api_key.networks_changed", subject=("merchant", access.merchant),
        facts={"key": row.public_id, "prefix": row.prefix}, before={"allowed_from": before},
        after={"allowed_from": wanted}, at=at,
    )  # fmt: skip
    return row


@transaction.atomic
def end_key_at(
    *, access: MerchantAccess, key: str, ends_at: datetime | None, at: datetime
) -> ApiKey:
    """Choose when a key ends by itself; None: never.

    The caller has asked for the second factor. Raises AccessRefused, KeyNotFound, KeyOver,
    KeyReplaced or ExpiryUnfit.
    """
    require_fit_end(ends_at, at=at)
    row = lock_key(access, key, at=at)
    if row.ends_at == ends_at:
        return row
    before, row.ends_at = row.ends_at, ends_at
    row.told_days = stage_of(ends_at, at=at)
    row.save(update_fields=["ends_at", "told_days"])
    record(
        access.actor, "api_key.end_changed", subject=("merchant", access.merchant),
        facts={"key": row.public_id, "prefix": row.prefix}, before={"ends_at": told_end(before)},
        after={"ends_at": told_end(ends_at)}, at=at,
    )  # fmt: skip
    return row


def lock_key(access: MerchantAccess, key: str, *, at: datetime) -> ApiKey:
    """A key that goes on, its row locked. Raises AccessRefused, KeyNotFound, KeyOver, KeyReplaced.

    No stronger lock: whoever uses the key meanwhile notes that in the same row.
    """
    require(access, KEYS_MANAGE)
    found = own_key(access, key).pk
    row = ApiKey.objects.select_for_update(no_key=True).get(pk=found)
    if row.replaced_by_id is not None:
        raise KeyReplaced(key=key)
    if row.is_over(at):
        raise KeyOver(key=key)
    return row
