"""Notices: what the portal tells a person beside the letter, with the page where to act on it.

Members of merchants have them; the staff find their work in its queues.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from compliance.identity.models import User
from compliance.identity.notice_models import Notice
from compliance.numbers import is_number, new_number

KEPT: Final = timedelta(days=365)
UNREAD_SHOWN_MAX: Final = 99
"""The bell counts no further."""

_UNREAD: Final = """
SELECT count(*) FROM (
  SELECT 1 FROM compliance_notice
   WHERE user_id = %s AND merchant IN (%s, '') AND read_at IS NULL LIMIT %s
) unread
"""


def put_notice(
    user: User, *, about: str, subjects: Mapping[str, str], page: str, merchant: str, at: datetime
) -> None:
    """Lay a notice before a person. Called where letters are written, in the deed's transaction."""
    Notice.objects.create(
        public_id=new_number("ntc_", at=at), user=user, merchant=merchant, about=about,
        subjects=dict(subjects), page=page, created_at=at,
    )  # fmt: skip


def unread_count(person: int, *, merchant: str) -> RawSQL:
    """How many a person has not read, as a column of a statement that is asked anyway."""
    return RawSQL(  # noqa: S611  nothing but parameters goes in
        f"({_UNREAD})", (person, merchant, UNREAD_SHOWN_MAX + 1), output_field=IntegerField()
    )


def notices_of(person: int, *, merchant: str) -> "QuerySet[Notice]":
    """What concerns the person at this merchant, or alone."""
    return Notice.objects.filter(user_id=person, merchant__in=[merchant, ""])


def list_notices(
    person: int, *, merchant: str, is_unread: bool, before: int, limit: int
) -> tuple[Sequence[Notice], int]:
    """Notices, newest first, from below a row's key on (0: from the newest), and the key from
    which older ones follow (0: there are none).
    """
    rows = notices_of(person, merchant=merchant)
    if is_unread:
        rows = rows.filter(read_at__isnull=True)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else 0


def read_notice(person: int, *, merchant: str, notice: str, at: datetime) -> str | None:
    """Note that a notice is read, and return the page to act on it. None: there is no such one."""
    if not is_number(notice, "ntc_"):
        return None
    row = notices_of(person, merchant=merchant).filter(public_id=notice).first()
    if row is None:
        return None
    Notice.objects.filter(pk=row.pk, read_at__isnull=True).update(read_at=at)
    return row.page


def read_all_notices(person: int, *, merchant: str, at: datetime) -> int:
    """Note that all of them are read; how many were not."""
    return notices_of(person, merchant=merchant).filter(read_at__isnull=True).update(read_at=at)


def forget_old_notices(*, at: datetime) -> int:
    """Delete notices of a year ago. Called once an hour."""
    gone, _each = Notice.objects.filter(created_at__lt=at - KEPT).delete()
    return gone
