"""The tables as CSV files, one each, with a manifest. Spreadsheets run nothing of what is in them.

UTF-8 with a byte order mark, RFC 4180 quoting, amounts as decimal text. Nothing knows Django.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from compliance.reports.values import Cell, Column, Dataset, Table
from compliance.spreadsheet import BOM, lines

SCHEMA: Final = 1
EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0}


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the PDF."""

    name: str
    content: bytes


def annex_of(dataset: Dataset) -> list[Attached]:
    """Every table and the manifest, in the order of the report."""
    files = [Attached(f"{table.name}.csv", csv_of(table)) for table in dataset.tables]
    told = [
        {
            "file": file.name, "rows": len(table.rows), "query": table.query, "schema": SCHEMA,
            "sha256": hashlib.sha256(file.content).hexdigest(),
        }
        for file, table in zip(files, dataset.tables, strict=True)
    ]  # fmt: skip
    manifest = json.dumps(
        {"report": dataset.number, "files": told}, ensure_ascii=False, sort_keys=True, indent=1
    )
    return [*files, Attached("manifest.json", manifest.encode())]


def csv_of(table: Table) -> bytes:
    """A table as a CSV file."""
    rows = (
        [written(cell, column) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    )
    return BOM + lines([[column.label for column in table.columns], *rows])


def written(cell: Cell, column: Column) -> str:
    """A cell without separators, as a program reads it: money as decimal text."""
    if column.kind != "money" or not isinstance(cell, int):
        return str(cell)
    places = EXPONENTS.get(column.currency, 2)
    if not places:
        return str(cell)
    whole, rest = divmod(abs(cell), 10**places)
    return f"{'-' if cell < 0 else ''}{whole}.{rest:0{places}d}"
