"""Makes lists known and loads their versions. The version that was loaded last is in use."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from django.db import transaction
from django.db.models import Max

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.protection.fields import keyed_digest
from merchants.screening.errors import ListRefused
from merchants.screening.models import ListedName, ListVersion, ScreeningList
from merchants.screening.normal import Entity, form_of, identity_key, keys_of
from merchants.screening.rows import Row, read_rows
from merchants.screening.states import ListKind

IDENTITY_PURPOSE: Final = "screening identity number"
BATCH_ROWS: Final = 1000
SHRUNK_BELOW_PERCENT: Final = 50
"""A file with less than this of the entries in use is more often cut off than meant."""


@transaction.atomic
def define_list(
    *, code: str, kind: ListKind, name: str, actor: Actor, at: datetime
) -> ScreeningList:
    """Make a list known, still without entries. The same code again changes nothing."""
    known, is_new = ScreeningList.objects.get_or_create(
        code=code, defaults={"kind": kind, "name": name, "created_at": at}
    )
    if is_new:
        record(
            actor, "screening.list_defined", subject=("screening_list", code),
            facts={"kind": kind.value, "name": name}, at=at,
        )  # fmt: skip
    return known


@transaction.atomic
def load_list(
    *, code: str, data: bytes, actor: Actor, at: datetime, expected_count: int | None = None
) -> ListVersion:
    """Load a file as the version in use; the file of the version in use changes nothing.

    All of it is loaded or nothing. `expected_count` is how many entries a person says the file
    has: only so may a list shrink to less than half. Raises ListRefused: list_unknown, shrunk,
    count_differs, and what `rows.read_rows` raises.
    """
    # Screening goes on while a long list is read: only another load of the same list waits.
    lists = ScreeningList.objects.select_for_update(no_key=True)
    screening_list = lists.filter(code=code).first()
    if screening_list is None:
        raise ListRefused("list_unknown", list=code)
    digest = hashlib.sha256(data).hexdigest()
    before = screening_list.versions.filter(is_active=True).first()
    if before is not None and before.file_sha256 == digest:
        return before
    # Read twice, so that only a batch of a long list is ever held.
    count = sum(1 for _row in read_rows(data))
    _require_count(count, before=before, expected=expected_count)
    last = screening_list.versions.aggregate(last=Max("number"))["last"] or 0
    version = ListVersion.objects.create(
        list=screening_list, number=last + 1, file_sha256=digest, count=count,
        loaded_by=actor.label[:150], loaded_at=at, is_active=False,
    )  # fmt: skip
    for batch in _batches(read_rows(data)):
        ListedName.objects.bulk_create(_listed(row, version) for row in batch)
    _bring_into_use(version, before=before)
    record(
        actor, "screening.list_loaded", subject=("screening_list", code),
        facts={"file_sha256": digest}, at=at,
        before={"version": before.number, "count": before.count} if before else None,
        after={"version": version.number, "count": version.count},
    )  # fmt: skip
    return version


def _bring_into_use(version: ListVersion, *, before: ListVersion | None) -> None:
    """Waits for those who are comparing with the version before; whoever comes now, comes after."""
    if before is not None:
        ListVersion.objects.filter(pk=before.pk).update(is_active=False)
        # What it held stays; look-ups do not meet it any more.
        before.names.update(keys=[])
    version.is_active = True
    version.save(update_fields=["is_active"])


def _require_count(count: int, *, before: ListVersion | None, expected: int | None) -> None:
    if expected is not None:
        if count != expected:
            raise ListRefused("count_differs", count=count, expected=expected)
    elif before is not None and count * 100 < before.count * SHRUNK_BELOW_PERCENT:
        raise ListRefused("shrunk", count=count, before=before.count)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH_ROWS)):
        yield batch


def _listed(row: Row, version: ListVersion) -> ListedName:
    entity: Entity = row.entity
    forms = [form_of(name, entity) for name in (row.name, *row.aliases)]
    keys = frozenset[int]().union(*(keys_of(form, entity) for form in forms))
    identity = None
    if row.identity:
        identity = keyed_digest(row.identity.encode(), purpose=IDENTITY_PURPOSE)
        keys |= {identity_key(identity)}
    return ListedName(
        version=version, kind=entity.value, name=row.name, aliases=list(row.aliases),
        normal=forms[0].plain, pinyin=next(iter(forms[0].sounds), ""), keys=sorted(keys),
        identity_digest=identity, born=row.born, reference=row.reference,
        digest=_entry_digest(row, identity),
    )  # fmt: skip


def _entry_digest(row: Row, identity: bytes | None) -> bytes:
    said = [
        row.entity.value, row.name, sorted(row.aliases), row.born, row.reference,
        identity.hex() if identity else "",
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).digest()
