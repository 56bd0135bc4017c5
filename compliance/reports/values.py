"""What a report says, as frozen values, and their one spelling, whose hash names the data.

Nothing here knows Django. Texts stand in the language of the report; money stands in minor units
and is only written out by whoever renders it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

SECTIONS: Final = range(1, 14)
ROWS_SHOWN_MAX: Final = 200
"""Longer tables end in the PDF with "first N of M"; the annex holds all of it."""

Cell = str | int
Kind = Literal["text", "number", "money", "time"]
Tone = Literal["", "ok", "warn", "bad"]
Form = Literal["bars", "line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. Money is in minor units of the currency that `currency` names."""

    label: str
    kind: Kind = "text"
    currency: str = "CNY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a name; `query` names what was asked, for the annex."""

    name: str
    title: str
    query: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        """Raises ValueError when a row does not fit its columns."""
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.name} does not fit its columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of a table: one number for each label. The table stands behind it."""

    title: str
    form: Form
    labels: Sequence[str]
    values: Sequence[int]

    def __post_init__(self) -> None:
        """Raises ValueError unless there is one value for each label."""
        if len(self.labels) != len(self.values):
            raise ValueError("a chart needs one value for each label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence. The tone is told by a word beside it, never by its colour alone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one storey says in a section."""

    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One of the thirteen. Without parts it says that nothing was recorded."""

    number: int
    title: str
    parts: Sequence[Part] = field(default=())

    @property
    def is_recorded(self) -> bool:
        """Whether anybody had something to say."""
        return any(part.tables or part.charts or part.notes for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """How the audit trail stood in the snapshot."""

    position: int
    head: str
    checked: int
    fault: str = ""
    """"" when the whole chain holds; else what is wrong with it."""
    entry: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the chain holds."""
        return not self.fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All that a report says. Equal datasets give equal bytes under the same version."""

    number: str
    version: int
    entity: str
    mode: str
    language: str
    start: str
    """The first day of the period, in Asia/Shanghai."""
    end: str
    """The last day of the period."""
    cutoff: str
    """The moment of the snapshot, ISO 8601 with offset."""
    prepared_by: str
    replaces: str
    reason: str
    sections: Sequence[Section]
    integrity: Integrity

    def __post_init__(self) -> None:
        """Raises ValueError when two tables would be the same file of the annex."""
        names = [table.name for table in self.tables]
        if len(set(names)) != len(names):
            raise ValueError("two tables of a report have the same name")

    @property
    def tables(self) -> list[Table]:
        """Every table, in order."""
        return [
            table for section in self.sections for part in section.parts for table in part.tables
        ]

    @property
    def made_at(self) -> datetime:
        """The moment of the snapshot: the only time that the document knows."""
        return datetime.fromisoformat(self.cutoff)


def canonical(dataset: Dataset) -> str:
    """JSON with one spelling: sorted names, no spaces."""
    return json.dumps(
        asdict(dataset), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def digest_of(text: str) -> str:
    """The SHA-256 that names a dataset, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_dataset(text: str) -> Dataset:
    """A dataset from its canonical spelling."""
    told = json.loads(text)
    return Dataset(
        **{
            **told,
            "sections": [_section(one) for one in told["sections"]],
            "integrity": Integrity(**told["integrity"]),
        }
    )


def _section(told: Mapping[str, Any]) -> Section:
    return Section(**{**told, "parts": [_part(one) for one in told["parts"]]})


def _part(told: Mapping[str, Any]) -> Part:
    return Part(
        tables=[
            Table(**{**one, "columns": [Column(**column) for column in one["columns"]]})
            for one in told["tables"]
        ],
        charts=[Chart(**one) for one in told["charts"]],
        notes=[Note(**one) for one in told["notes"]],
    )
