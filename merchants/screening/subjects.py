"""Who is screened: a subject as a value, and the sources that name all subjects of a room."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from compliance.audit.actor import Actor
from merchants.screening.normal import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One person or company, under a kind and a reference that the room chooses and keeps."""

    kind: str
    reference: str
    entity: Entity
    name: str
    aliases: tuple[str, ...] = ()
    identity_number: str = ""
    """In clear, for the comparison only: nothing of it is stored but a keyed digest."""
    born: str = ""
    """A date, or a year. With a Chinese identity number it is known anyway."""

    @property
    def key(self) -> tuple[str, str]:
        """Which one it is."""
        return self.kind, self.reference


Source = Callable[[str, int], Sequence[Subject]]
"""(after, limit) → the next subjects by reference, in the order of their references."""

_sources: Final[dict[str, Source]] = {}


def register_subjects(kind: str, source: Source) -> None:
    """Make a room's subjects known, once, from an application's `ready`.

    All of a source have this kind, and each reference once.
    """
    if _sources.get(kind, source) is not source:
        raise ImproperlyConfigured(f"two sources of subjects are called {kind}")
    _sources[kind] = source


def sources() -> dict[str, Source]:
    """All of them, by kind."""
    return {kind: _sources[kind] for kind in sorted(_sources)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependants:
    """What of a room depends on how its subjects stand. Both are called in the transaction."""

    hold: Callable[[Collection[str]], None]
    """Lock it, by the subjects' references: before any check of them is locked."""
    changed: Callable[[Collection[str], Actor, datetime], None]
    """Look at it again: these subjects stand otherwise than before."""


_dependants: Final[dict[str, Dependants]] = {}


def register_dependants(kind: str, dependants: Dependants) -> None:
    """Tell screening who depends on subjects of a kind, once, from an application's `ready`."""
    _dependants[kind] = dependants


def hold_dependants(subjects: Iterable[tuple[str, str]]) -> None:
    """Lock what depends on these subjects (kind and reference)."""
    for kind, references in _by_kind(subjects):
        _dependants[kind].hold(references)


def tell_dependants(subjects: Iterable[tuple[str, str]], *, actor: Actor, at: datetime) -> None:
    """Say that these subjects stand otherwise than before. Their dependants are held."""
    for kind, references in _by_kind(subjects):
        _dependants[kind].changed(references, actor, at)


def _by_kind(subjects: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Collection[str]]]:
    found: dict[str, list[str]] = defaultdict(list)
    for kind, reference in subjects:
        if kind in _dependants:
            found[kind].append(reference)
    return sorted(found.items())
