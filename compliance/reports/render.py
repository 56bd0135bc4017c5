"""Turns a dataset into a PDF/A-3 with its annex inside: equal data and version, equal bytes.

What draws it runs in a process of its own; see `press`.
"""

import hashlib
from importlib.metadata import version
from typing import Any, Final

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from compliance.reports import charts
from compliance.reports.annex import annex_of, written
from compliance.reports.apart import ask
from compliance.reports.values import (
    ROWS_SHOWN_MAX,
    Cell,
    Column,
    Dataset,
    Section,
    Table,
    canonical,
    digest_of,
)

PRESS: Final = "compliance.reports.press"
SECONDS_MAX: Final = 480.0
"""Shorter than a report's lease, and than the task that makes it may take."""
TEMPLATE: Final = 1
"""Counts up when the template changes what a report looks like."""
SOFTWARE: Final = f"Paysite report {TEMPLATE}, WeasyPrint {version('weasyprint')}"


def address_of(number: str) -> str:
    """Where anybody checks a report."""
    return f"{settings.BASE_URL}/verify/{number}/"


def render(dataset: Dataset) -> bytes:
    """The unsigned PDF. Raises ApartFailed when it takes too much time or memory."""
    files = annex_of(dataset)
    identity = hashlib.sha256(f"{canonical(dataset)}{SOFTWARE}".encode()).digest()[:16]
    head = {
        "made_at": dataset.made_at.isoformat(), "identity": identity.hex(),
        "names": [file.name for file in files],
    }  # fmt: skip
    parts = [page_of(dataset).encode(), *(file.content for file in files)]
    _told, [made] = ask(PRESS, head, parts, seconds_max=SECONDS_MAX)
    return made


def page_of(dataset: Dataset) -> str:
    """The document as HTML."""
    address = address_of(dataset.number)
    context = {
        "report": dataset, "digest": digest_of(canonical(dataset)), "software": SOFTWARE,
        "address": address, "qr": segno.make(address, error="m").svg_inline(scale=3, border=0),
        "sections": [_section(one) for one in dataset.sections],
        "annex": [
            {"name": f.name, "sha256": hashlib.sha256(f.content).hexdigest()}
            for f in annex_of(dataset)
        ],
    }  # fmt: skip
    with override(dataset.language):
        return render_to_string("reports/report.html", context)


def _section(section: Section) -> dict[str, Any]:
    return {
        "number": section.number, "title": section.title, "is_recorded": section.is_recorded,
        "parts": [
            {
                "notes": part.notes,
                "charts": [{"title": c.title, "svg": charts.draw(c)} for c in part.charts],
                "tables": [_table(table) for table in part.tables],
            }
            for part in section.parts
        ],
    }  # fmt: skip


def _table(table: Table) -> dict[str, Any]:
    shown = table.rows[:ROWS_SHOWN_MAX]
    return {
        "title": table.title, "file": f"{table.name}.csv", "columns": table.columns,
        "rows": [
            [(_shown(cell, one), one.kind) for cell, one in zip(row, table.columns, strict=True)]
            for row in shown
        ],
        "shown": len(shown), "count": len(table.rows),
    }  # fmt: skip


def _shown(cell: Cell, column: Column) -> str:
    """A cell as people read it."""
    text = written(cell, column)
    if not isinstance(cell, int) or column.kind not in {"money", "number"}:
        return text
    whole, dot, rest = text.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole != "-0" else text
