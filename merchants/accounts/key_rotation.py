"""Gives a key a new secret, while the old one works on for a while.

The new secret is a key of its own, with the same label, scopes and networks, so that the list shows
which of the two is still in use, and from where.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.trail import record
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import KEYS_MANAGE, TEAM_MANAGE
from merchants.accounts.key_changes import KeyOver, lock_key
from merchants.accounts.keys import new_key, require_fit_end, require_may_have, told_end
from merchants.accounts.models import ApiKey, Merchant
from merchants.accounts.queries import own_key
from merchants.accounts.telling import tell_people
from merchants.errors import MerchantRefusal

OVERLAP_MAX: Final = timedelta(days=7)


class OverlapTooLong(MerchantRefusal):
    """The old secret may work on for seven days at most."""

    code = "overlap_too_long"


class OverlapRuns(MerchantRefusal):
    """The secret before this one still works: it must end first."""

    code = "overlap_runs"


class NotReplaced(MerchantRefusal):
    """The key has no newer secret: it is revoked, not ended."""

    code = "not_replaced"


@transaction.atomic
def rotate_api_key(
    *, access: MerchantAccess, key: str, until: datetime | None, ends_at: datetime | None,
    at: datetime,
) -> tuple[ApiKey, str]:  # fmt: skip
    """Make a new secret and return it with its key; it cannot be shown again. The old one works
    until a moment within seven days, or, for None, not any more. `ends_at`: of the new one.

    The caller has asked for the second factor. Raises AccessRefused, KeyNotFound, KeyOver,
    KeyReplaced, OverlapRuns, OverlapTooLong, ExpiryUnfit, LiveNotAllowed or MerchantSuspended.
    """
    last = until or at
    if not at <= last <= at + OVERLAP_MAX:
        raise OverlapTooLong(days=OVERLAP_MAX.days)
    require_fit_end(ends_at, at=at)
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=access.merchant_id)
    old = lock_key(access, key, at=at)
    require_may_have(merchant, livemode=old.livemode)
    if any(not one.is_over(at) for one in ApiKey.objects.filter(replaced_by=old)):
        raise OverlapRuns(key=key)
    made, secret = new_key(
        merchant=merchant, livemode=old.livemode, label=old.label, scopes=old.scopes,
        allowed_from=old.allowed_from, ends_at=ends_at, created_by=access.actor.label,
        created_at=at,
    )  # fmt: skip
    # An end that was chosen before is not put off.
    old.ends_at, old.replaced_by = min(last, old.ends_at or last), made
    old.save(update_fields=["ends_at", "replaced_by"])
    record(
        access.actor, "api_key.rotated", subject=("merchant", merchant.public_id),
        facts={
            "key": old.public_id, "prefix": old.prefix, "new_key": made.public_id,
            "new_prefix": made.prefix, "old_valid_until": told_end(old.ends_at),
        },
        after={"scopes": made.scopes, "allowed_from": made.allowed_from,
               "ends_at": told_end(ends_at)},
        at=at,
    )  # fmt: skip
    tell_people(
        merchant, "key_rotated", ability=TEAM_MANAGE, key=str(old), label=old.label,
        ends_at=old.ends_at, is_at_once=old.ends_at <= at, at=at,
    )  # fmt: skip
    return made, secret


@transaction.atomic
def end_overlap(*, access: MerchantAccess, key: str, at: datetime) -> ApiKey:
    """Let an old secret end now. Raises AccessRefused, KeyNotFound, NotReplaced or KeyOver."""
    require(access, KEYS_MANAGE)
    row = ApiKey.objects.select_for_update(no_key=True).get(pk=own_key(access, key).pk)
    if row.replaced_by_id is None:
        raise NotReplaced(key=key)
    if row.is_over(at):
        raise KeyOver(key=key)
    before, row.ends_at = row.ends_at, at
    row.save(update_fields=["ends_at"])
    record(
        access.actor, "api_key.overlap_ended", subject=("merchant", access.merchant),
        facts={"key": row.public_id, "prefix": row.prefix}, before={"ends_at": told_end(before)},
        after={"ends_at": told_end(at)}, at=at,
    )  # fmt: skip
    return row
