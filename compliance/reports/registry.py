"""Who says what in a report: each storey registers its builders when its application is ready."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from compliance.reports.values import SECTIONS, Part, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` to before `end`; `cutoff` is the moment of the snapshot."""

    start: datetime
    end: datetime
    cutoff: datetime


Builder = Callable[[Period], Part]
"""Reads, and never writes: it runs in a read-only snapshot, in the language of the report."""

TITLES: Final = {
    1: _("Summary"),
    2: _("Licence and corporate changes"),
    3: _("Merchant due diligence"),
    4: _("Screening"),
    5: _("Transactions and risk"),
    6: _("Anti-money laundering"),
    7: _("Funds and reconciliation"),
    8: _("Access and operations"),
    9: _("Data protection"),
    10: _("Availability and incidents"),
    11: _("Changes and vulnerabilities"),
    12: _("Complaints and service"),
    13: _("Findings and rectification"),
}
"""The sections of every report, in their order."""

Due = Callable[[Period], Table]
"""What officers must look after now; the overview of the desk shows it. Reads, never writes."""

_due: Final[list[Due]] = []
_builders: Final[dict[int, list[Builder]]] = {number: [] for number in SECTIONS}


def register_section(number: int, builder: Builder) -> None:
    """Have a builder speak in a section, once, after those who registered before it."""
    if number not in _builders:
        raise ImproperlyConfigured(f"a report has no section {number}")
    if builder not in _builders[number]:
        _builders[number].append(builder)


def builders_of(number: int) -> tuple[Builder, ...]:
    """Who speaks in a section."""
    return tuple(_builders[number])


def register_due(builder: Due) -> None:
    """Have a table shown on the overview of the desk, once."""
    if builder not in _due:
        _due.append(builder)


def due_tables(period: Period) -> list[Table]:
    """What to look after, as the storeys tell it."""
    return [builder(period) for builder in _due]
