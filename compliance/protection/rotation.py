"""Rotates keys while the platform runs: a new key seals, and old values move over in batches.

Nothing about the progress is kept anywhere but in the values themselves, which name their key:
killed at any moment, the next run goes on where this one stopped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.protection.columns import SealedTextField
from compliance.protection.datakeys import add_key, context_of
from compliance.protection.envelope import Place, seal_at, unseal_at
from compliance.protection.fields import seal, unseal
from compliance.protection.held import Held
from compliance.protection.keyservice import key_service
from compliance.protection.models import DataKey
from compliance.protection.states import DataKeyState, DataKeyUse

_LOCK: Final = 0x6B657973
"""One rotation begins or ends at a time."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column whose values a rotation moves to the current key."""

    table: str
    column: str
    row: str
    """The column with what the value is bound to."""
    primary: str
    separator: str
    """Stands before and after the key's id in the value."""
    reseal: Callable[[str, str], str]
    """(value, row) → the same text under the current key."""

    @property
    def name(self) -> str:
        """For progress lines."""
        return f"{self.table}.{self.column}"

    def count(self, old: list[str]) -> int:
        """How many values are still under these keys."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) {self._of_old()}", [self.separator, old])
            [found] = cursor.fetchone()
        return int(found)

    @transaction.atomic
    def move_batch(self, old: list[str], *, after: int, limit: int) -> tuple[int, int]:
        """Re-encrypt up to `limit` rows beyond `after`; how many, and the last one's key.

        Rows that somebody else holds are left for the next round.
        """
        quoted = connection.ops.quote_name
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {quoted(self.primary)}, {quoted(self.row)}::text, {quoted(self.column)} "
                f"{self._of_old()} AND {quoted(self.primary)} > %s "
                f"ORDER BY {quoted(self.primary)} LIMIT %s FOR UPDATE SKIP LOCKED",
                [self.separator, old, after, limit],
            )
            found: list[tuple[Any, ...]] = cursor.fetchall()
            cursor.executemany(
                f"UPDATE {quoted(self.table)} SET {quoted(self.column)} = %s "  # noqa: S608 -- names
                f"WHERE {quoted(self.primary)} = %s",
                [(self.reseal(value, row), key) for key, row, value in found],
            )
        return len(found), found[-1][0] if found else after

    def _of_old(self) -> str:
        quoted = connection.ops.quote_name
        return f"FROM {quoted(self.table)} WHERE split_part({quoted(self.column)}, %s, 2) = ANY(%s)"


_bound: Final[list[SealedColumn]] = []
_held: Final[list[SealedColumn]] = []
_held_before: Final[list[SealedColumn]] = []
"""The same columns, with what was sealed before there were data keys."""


def register_bound_column(*, model: str, column: str, row: str, prefix: str) -> None:
    """Tell of a column that `fields.seal` fills, bound to `<prefix>:<value of row>`.

    Called in `AppConfig.ready`. SealedTextFields need no telling.
    """
    meta = apps.get_model(model)._meta  # noqa: SLF001

    def reseal(value: str, of: str) -> str:
        bound_to = f"{prefix}:{of}"
        return seal(unseal(value, bound_to=bound_to), bound_to=bound_to)

    row_column, primary = meta.get_field(row).column, str(meta.pk.column)
    known = SealedColumn(meta.db_table, column, str(row_column), primary, ".", reseal)
    if known.name not in [one.name for one in _bound]:
        _bound.append(known)


def register_held_column(held: Held, *, model: str, row: str) -> None:
    """Tell of a column that `Held` fills. Called in `AppConfig.ready`."""
    meta = apps.get_model(model)._meta  # noqa: SLF001

    def reseal(value: str, of: str) -> str:
        return held.seal(held.open_quietly(value, row=of), row=of)

    names = (held.table, held.column, str(meta.get_field(row).column), str(meta.pk.column))
    for known, separator in ((_held, ":"), (_held_before, ".")):
        column = SealedColumn(*names, separator, reseal)
        if column.name not in [one.name for one in known]:
            known.append(column)


def held_before_columns() -> list[SealedColumn]:
    """Columns with values that must leave the key-encryption keys altogether."""
    return list(_held_before)


def bound_columns() -> list[SealedColumn]:
    """Columns directly under the key-encryption key."""
    return list(_bound)


def field_columns() -> list[SealedColumn]:
    """Every SealedTextField of every model, and the columns of `Held`."""
    return [
        *_held,
        *_fields(),
    ]


def _fields() -> list[SealedColumn]:
    return [
        _of_field(field)
        for model in apps.get_models()
        for field in model._meta.local_fields  # noqa: SLF001
        if isinstance(field, SealedTextField)
    ]


def _of_field(field: SealedTextField) -> SealedColumn:
    meta = field.model._meta  # noqa: SLF001
    column, primary = str(field.column), str(meta.pk.column)

    def reseal(value: str, row: str) -> str:
        place = Place(meta.db_table, column, row)
        return seal_at(unseal_at(value, place=place), place=place, purpose=field.purpose)

    row = str(meta.get_field(field.row).column)  # type: ignore[union-attr]
    return SealedColumn(meta.db_table, column, row, primary, ":", reseal)


@transaction.atomic
def begin_rotation(*, actor: Actor, at: datetime) -> list[str]:
    """Wrap every data key under the current key-encryption key, and give each sealing purpose a
    new data key, unless an earlier rotation is still to be finished. Returns the ids to empty.
    """
    _one_at_a_time()
    service = key_service()
    rewrapped = 0
    for key in DataKey.objects.select_for_update().order_by("id"):
        if not service.is_current(key.wrapped):
            context = context_of(key_id=key.key_id, use=key.use, purpose=key.purpose)
            key.wrapped = service.wrap(
                service.unwrap(key.wrapped, context=context), context=context
            )
            key.save(update_fields=["wrapped"])
            rewrapped += 1
    retiring = DataKey.objects.filter(state=DataKeyState.RETIRING).order_by("id")
    if not retiring.exists():
        for key in DataKey.objects.filter(use=DataKeyUse.SEALING, state=DataKeyState.ACTIVE):
            key.move(DataKeyState.RETIRING, at=at)
            add_key(use=DataKeyUse.SEALING, purpose=key.purpose, at=at)
    old = list(retiring.values_list("key_id", flat=True))
    facts = {"rewrapped": rewrapped, "replacing": old}
    record(actor, "keys.rotation_begun", subject=("keys", "fields"), facts=facts, at=at)
    return old


def move_values(old: list[str], *, limit: int) -> Iterator[tuple[str, int, int]]:
    """Move everything over, a batch per step: (column, moved in this step, still to move).

    `old` are data keys from `begin_rotation`. Ends when no value is left under an old key.
    """
    service_keys = key_service().names()
    outdated = service_keys[1:]
    for column, keys in [
        *((column, service_keys) for column in held_before_columns()),
        *((column, outdated) for column in bound_columns()),
        *((column, old) for column in field_columns()),
    ]:
        after = 0
        while keys and (left := column.count(keys)):
            moved, after = column.move_batch(keys, after=after, limit=limit)
            if moved == 0:
                after = 0  # What is left was held by others, or was written meanwhile.
            yield column.name, moved, left - moved


@transaction.atomic
def finish_rotation(old: list[str], *, actor: Actor, at: datetime) -> int:
    """Retire the old data keys if nothing is under them any more; how many values still are."""
    _one_at_a_time()
    left = sum(column.count(old) for column in field_columns())
    if left == 0:
        for key in DataKey.objects.select_for_update().filter(
            key_id__in=old, state=DataKeyState.RETIRING
        ):
            key.move(DataKeyState.RETIRED, at=at)
        facts = {"replaced": old}
        record(actor, "keys.rotation_finished", subject=("keys", "fields"), facts=facts, at=at)
    return left


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
