"""Reads the CSV file of a list, line by line. Pure.

Text in a file is only ever text: what nobody sees and what a spreadsheet would take for a formula
is cut off.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from merchants.screening.errors import ListRefused
from merchants.screening.normal import Entity, birth_of, form_of, identity_of

COLUMNS: Final = ("kind", "name", "aliases", "identity_number", "born", "reference")
BYTES_MAX: Final = 32 * 1024 * 1024
ROWS_MAX: Final = 300_000
NAME_MAX: Final = 200
ALIASES_MAX: Final = 20
REFERENCE_MAX: Final = 128
IDENTITY_MAX: Final = 64
WRONG_MAX: Final = 20
"""So many wrong lines are named; then the reading ends."""

_BORN: Final = re.compile(r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))?")
_FORMULA: Final = "=+-@|% "
_BETWEEN_ALIASES: Final = re.compile("[;；]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a file, as it stands there."""

    entity: Entity
    name: str
    aliases: tuple[str, ...]
    identity: str
    born: str
    reference: str


def read_rows(data: bytes) -> Iterator[Row]:
    """The entries of a file. Nothing of it may be used unless the iterator ends without a refusal.

    Raises ListRefused: too_large, encoding, header, too_many_rows, empty, rows_wrong (with the
    line and the column of each).
    """
    if len(data) > BYTES_MAX:
        raise ListRefused("too_large", bytes_max=BYTES_MAX)
    reader = csv.reader(io.StringIO(decoded(data), newline=""), strict=True)
    _require_header(reader)
    wrong: list[tuple[int, str]] = []
    count = 0
    for line, cells in _lines(reader, wrong):
        row, fault = _row(cells)
        if row is None:
            wrong.append((line, fault))
        else:
            count += 1
            yield row
        _require_limits(count, wrong)
    if wrong:
        raise ListRefused("rows_wrong", lines=wrong)
    if not count:
        raise ListRefused("empty")


def _require_limits(count: int, wrong: list[tuple[int, str]]) -> None:
    if count > ROWS_MAX:
        raise ListRefused("too_many_rows", rows_max=ROWS_MAX)
    if len(wrong) >= WRONG_MAX:
        raise ListRefused("rows_wrong", lines=wrong)


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, with or without its mark, or in GB18030. Raises ListRefused."""
    if b"\0" in data:  # UTF-16, or no text at all.
        raise ListRefused("encoding")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ListRefused("encoding")


def _require_header(reader: Iterator[list[str]]) -> None:
    try:
        header = next(reader, [])
    except csv.Error:
        header = []
    if tuple(name.strip() for name in header) != COLUMNS:
        raise ListRefused("header", expected=",".join(COLUMNS))


def _lines(
    reader: Iterator[list[str]], wrong: list[tuple[int, str]]
) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with its number; what cannot be read is wrong."""
    last: int = reader.line_num  # type: ignore[attr-defined]
    while True:
        line = last + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            wrong.append((line, "csv"))
            return
        if cells is None:
            return
        last = reader.line_num  # type: ignore[attr-defined]
        if any(cell.strip() for cell in cells):
            yield line, cells


def _row(cells: list[str]) -> tuple[Row | None, str]:
    """The entry, or the column that is wrong."""
    if len(cells) != len(COLUMNS):
        return None, "columns"
    texts = dict(zip(COLUMNS, map(harmless, cells), strict=True))
    if fault := _fault(texts):
        return None, fault
    entity, identity = Entity(texts["kind"]), identity_of(texts["identity_number"])
    row = Row(
        entity=entity, name=texts["name"], aliases=_aliases(texts["aliases"]), identity=identity,
        born=texts["born"] or (birth_of(identity) if entity is Entity.PERSON else ""),
        reference=texts["reference"],
    )  # fmt: skip
    return row, ""


def _fault(texts: Mapping[str, str]) -> str:
    if texts["kind"] not in set(Entity):
        return "kind"
    entity, aliases = Entity(texts["kind"]), _aliases(texts["aliases"])
    names_are_good = {
        "name": _is_name(texts["name"], entity),
        "aliases": len(aliases) <= ALIASES_MAX and all(_is_name(one, entity) for one in aliases),
        "identity_number": len(texts["identity_number"]) <= IDENTITY_MAX,
        "born": not texts["born"] or bool(_BORN.fullmatch(texts["born"])),
        "reference": len(texts["reference"]) <= REFERENCE_MAX,
    }
    return next((column for column, is_good in names_are_good.items() if not is_good), "")


def _is_name(text: str, entity: Entity) -> bool:
    return 0 < len(text) <= NAME_MAX and 0 < len(form_of(text, entity).plain) <= NAME_MAX


def _aliases(text: str) -> tuple[str, ...]:
    parts = (harmless(part) for part in _BETWEEN_ALIASES.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def harmless(text: str) -> str:
    """The text on one line, without what nobody sees and what a spreadsheet would compute."""
    visible = (
        " " if sign.isspace() else "" if unicodedata.category(sign)[0] == "C" else sign
        for sign in text
    )  # fmt: skip
    return " ".join("".join(visible).split()).lstrip(_FORMULA)
