"""Sections of an application as forms, built from their definitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise

from merchants.onboarding.reading import Part, Standing
from merchants.onboarding.sections import Fault, Field, Section, Typed
from merchants.onboarding.values import LONG_TERM
from merchants.onboarding.words import CHOICES, FAULTS, HELP, LABELS, REASONS

SPARE_ROWS: Final = 1
"""Empty rows offered below those of a list."""
VERSION_DIGITS_MAX: Final = 9


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
    is_number = text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS_MAX
    return int(text) if is_number else -1


def rows_of(part: Part, standing: Standing, *, is_told: bool) -> list[Row]:
    """The section's rows with what was typed; faults beside them when it is time to tell."""
    section = part.section
    rows = list(part.typed) or [{}]
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


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that says something else in what was saved than in what a form sent."""

    label: str | Promise
    row: int
    """From one; 0 where the section has one row only."""
    theirs: str | Promise


def differing(section: Section, ours: Sequence[Typed], theirs: Sequence[Typed]) -> list[Difference]:
    """Where two people wrote differently, in the order of the form."""
    found = []
    for number in range(max(len(ours), len(theirs))):
        mine = ours[number] if number < len(ours) else {}
        other = theirs[number] if number < len(theirs) else {}
        for field in section.fields:
            value = other.get(field.name, "")
            if value != mine.get(field.name, ""):
                key = f"{section.name}.{field.name}"
                told = CHOICES[f"{key}.{value}"] if value in field.choices else value
                place = number + 1 if section.is_list else 0
                found.append(Difference(LABELS[key], place, told))
    return found


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
