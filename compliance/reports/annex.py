"""The tables as CSV files, one each, with a manifest. Spreadsheets run nothing of what is in them.

UTF-8 with a byte order mark, RFC 4180 quoting, amounts as decimal text. Nothing knows Django.
"""

import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from typing import Final

from compliance.reports.values import Cell, Column, Dataset, Table

SCHEMA: Final = 1
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a spreadsheet begins a formula; with their wide forms, in East Asian settings."""
EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0}
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([harmless(column.label) for column in table.columns])
    for row in table.rows:
        writer.writerow(
            [
                harmless(written(cell, column))
                for cell, column in zip(row, table.columns, strict=True)
            ]
        )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before it.

    A plain negative number stays one.
    """
    if text.lstrip(" \u00a0\u3000").startswith(DANGEROUS) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def written(cell: Cell, column: Column) -> str:
    """A cell without separators, as a program reads it: money as decimal text."""
    if column.kind != "money" or not isinstance(cell, int):
        return str(cell)
    places = EXPONENTS.get(column.currency, 2)
    if not places:
        return str(cell)
    whole, rest = divmod(abs(cell), 10**places)
    return f"{'-' if cell < 0 else ''}{whole}.{rest:0{places}d}"
