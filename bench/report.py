"""A report of a thousand table rows against WeasyPrint alone on a plain page of the same table.

The floor is the same machine's WeasyPrint in the same run; the ratio is to stay at or below 1.3.
"""

import html
import statistics
import sys
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from weasyprint import HTML

from compliance.reports import render as rendering
from compliance.reports.values import (
    ROWS_SHOWN_MAX,
    SECTIONS,
    Column,
    Dataset,
    Integrity,
    Part,
    Section,
    Table,
)

ROWS: Final = 1000
COLUMNS: Final = 9
ROUNDS: Final = 5
RATIO_MAX: Final = 1.3


def table() -> Table:
    """A thousand rows of text and figures, shown in parts no longer than a report shows."""
    columns = [Column(label=f"列 {n}", kind="number" if n % 3 else "text") for n in range(COLUMNS)]
    rows = [[row * n if n % 3 else f"商户 {row}" for n in range(COLUMNS)] for row in range(ROWS)]
    return Table(name="rows", title="明细", query="bench", columns=columns, rows=rows)


def dataset(rows: Table) -> Dataset:
    """A report that holds the table in pieces, so that all of its rows are drawn."""
    step = ROWS_SHOWN_MAX
    parts = [
        Part(tables=[Table(
            name=f"rows_{at}", title="明细", query="bench", columns=rows.columns,
            rows=rows.rows[at : at + step],
        )])
        for at in range(0, ROWS, step)
    ]  # fmt: skip
    return Dataset(
        number="rpt_bench", version=1, entity="Bench", mode="aggregator", language="zh-hans",
        start="2026-09-01", end="2026-09-30", cutoff=datetime(2026, 10, 1, tzinfo=UTC).isoformat(),
        prepared_by="bench", replaces="", reason="",
        sections=[
            Section(number=n, title=str(n), parts=parts if n == 1 else []) for n in SECTIONS
        ],
        integrity=Integrity(position=0, head="", checked=0),
    )  # fmt: skip


def floor(rows: Table) -> bytes:
    """WeasyPrint alone."""
    head = "".join(f"<th>{html.escape(column.label)}</th>" for column in rows.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in rows.rows
    )
    style = "<style>@page{size:A4}table{width:100%;table-layout:fixed}</style>"
    page = f"{style}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    made: bytes = HTML(string=page).write_pdf()
    return made


def ratio() -> float:
    """The median of rounds that take turns."""
    rows = table()
    report = dataset(rows)
    ratios = []
    for _round in range(ROUNDS):
        began = perf_counter()
        floor(rows)
        between = perf_counter()
        rendering.render(report)
        ratios.append((perf_counter() - between) / (between - began))
    return statistics.median(ratios)


def measure() -> bool:
    """Print the ratio, and say whether the goal was reached."""
    found = ratio()
    sys.stdout.write(f"report of {ROWS} rows: {found:.2f} times WeasyPrint alone\n")
    return found <= RATIO_MAX
