"""Once an hour: writes to the people of keys that end soon, 14 and 3 days before."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from merchants.accounts.abilities import KEYS_MANAGE
from merchants.accounts.key_stages import STAGES, stage_of
from merchants.accounts.models import ApiKey
from merchants.accounts.telling import tell_people

SOON: Final = timedelta(days=max(STAGES))


def watch_key_ends(*, at: datetime) -> int:
    """Write once per stage about each key that ends by its own date; about how many.

    Safe to run at once: each key is a transaction of its own, under its lock. Whoever replaced a
    secret chose its end themselves and is not told again.
    """
    rows = ApiKey.objects.filter(
        ends_at__gt=at, ends_at__lte=at + SOON, revoked_at=None, replaced_by=None
    )
    return sum(_tell(pk, at=at) for pk in rows.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _tell(pk: int, *, at: datetime) -> bool:
    row = ApiKey.objects.select_for_update(no_key=True, of=("self",)).select_related("merchant")
    key = row.get(pk=pk)
    stage = stage_of(key.ends_at, at=at)
    if stage is None or key.is_over(at) or key.replaced_by_id is not None:
        return False
    if key.told_days is not None and key.told_days <= stage:
        return False
    key.told_days = stage
    key.save(update_fields=["told_days"])
    record(
        SYSTEM, "api_key.end_told", subject=("merchant", key.merchant.public_id),
        facts={"key": key.public_id, "prefix": key.prefix, "days": stage}, at=at,
    )  # fmt: skip
    tell_people(
        key.merchant, "key_ends", ability=KEYS_MANAGE, key=str(key), label=key.label,
        ends_at=key.ends_at, at=at,
    )  # fmt: skip
    return True
