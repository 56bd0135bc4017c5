"""The subjects of this storey."""

from collections.abc import Sequence
from typing import Final

from merchants.accounts.models import Merchant
from merchants.screening.normal import Entity
from merchants.screening.subjects import Subject, register_subjects

MERCHANT: Final = "merchant"


def _merchants(after: str, limit: int) -> Sequence[Subject]:
    rows = Merchant.objects.filter(public_id__gt=after).order_by("public_id")[:limit]
    return [
        Subject(
            kind=MERCHANT, reference=row.public_id, entity=Entity.COMPANY, name=row.name,
            aliases=(row.short_name,) if row.short_name else (),
        )
        for row in rows
    ]  # fmt: skip


def register_own_subjects() -> None:
    """Called once, when the application is ready."""
    register_subjects(MERCHANT, _merchants)
