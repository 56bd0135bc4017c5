"""Sections of an application as forms, built from their definitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise

from merchants.onboarding.reading import Part, Standing
from merchants.onboarding.sections import Fault, Field, Section, Typed
from merchants.onboarding.values import LONG_TERM
from merchants.onboarding.words import CHOICES, FAULTS, HELP, LABELS, REASONS, TITLES

SPARE_ROWS: Final = 1
"""Empty rows offered below those of a list."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field as a page shows it."""

    id: str
    label: str | Promise
    help: str | Promise
    kind: str
    value: str
    choices: Sequence[tuple[str, str | Promise]]
    is_required: bool
    is_open: bool
    is_secret: bool
    only_if: tuple[str, str]
    """Shown while that other field of the row, by id, has that value."""
    error: str | Promise = ""

    @property
    def is_long(self) -> bool:
        """Whether a term has no end."""
        return self.value == LONG_TERM


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list, or the only one of a section."""

    number: int
    lines: Sequence[Line]


def typed_in(section: Section, post: QueryDict) -> list[dict[str, str]]:
    """The rows that a form sent: fields are called "name-0", "name-1" and so on."""
    numbers = range(section.rows_max + SPARE_ROWS) if section.is_list else range(1)
    rows = []
    for number in numbers:
        row = {field.name: _typed(field, number, post) for field in section.fields}
        rows.append(row)
    return rows


def version_in(post: QueryDict) -> int:
    """The version that the form was built from; what is no number is none at all."""
    text = post.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("1000000") else -1


def rows_of(
    part: Part, standing: Standing, *, typed: Sequence[Typed] | None = None, is_told: bool
) -> list[Row]:
    """The section's rows with what was typed; faults beside them when it is time to tell."""
    section = part.section
    rows = list(part.typed if typed is None else typed) or [{}]
    if section.is_list:
        rows = [row for row in rows if any(row.values())]
        rows += [{}] * max(1 - len(rows), min(SPARE_ROWS, section.rows_max - len(rows)))
    faults: dict[tuple[int, str], Fault] = {}
    for fault in part.faults:
        faults.setdefault((fault.row, fault.field), fault)
    return [
        Row(number, _lines(section, number, row, standing, faults if is_told else {}))
        for number, row in enumerate(rows)
    ]


def section_faults(part: Part) -> list[str | Promise]:
    """Faults of a section as a whole."""
    return [FAULTS[fault.code] for fault in part.faults if not fault.field]


def reviewers_words(standing: Standing, section: str) -> list[Mapping[str, Any]]:
    """What the reviewers want mended in a section."""
    return [
        {"label": LABELS[target], "reason": REASONS[verdict.reason], "told": verdict.told}
        for target, verdict in standing.verdicts.items()
        if not verdict.is_right and target.startswith(f"{section}.")
    ]


def title_of(section: str) -> str | Promise:
    """What a section is called."""
    return TITLES[section]


def _typed(field: Field, number: int, post: QueryDict) -> str:
    text = post.get(f"{field.name}-{number}", "")
    if field.kind == "last_day" and post.get(f"{field.name}-{number}-long"):
        return LONG_TERM
    return text


def _lines(
    section: Section, number: int, row: Typed, standing: Standing,
    faults: Mapping[tuple[int, str], Fault],
) -> list[Line]:  # fmt: skip
    lines = []
    for field in section.fields:
        key = f"{section.name}.{field.name}"
        fault = faults.get((number, field.name))
        other, wanted = field.only_if
        lines.append(
            Line(
                id=f"{field.name}-{number}", label=LABELS[key], help=HELP.get(key, ""),
                kind=field.kind, value=row.get(field.name, ""),
                choices=[(one, CHOICES[f"{key}.{one}"]) for one in field.choices],
                is_required=field.is_required, is_secret=field.is_secret,
                is_open=standing.is_open(section.name, field.name),
                only_if=(f"{other}-{number}" if other else "", wanted),
                error=FAULTS[fault.code] if fault else "",
            )
        )  # fmt: skip
    return lines
