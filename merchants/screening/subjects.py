"""Who is screened: a subject as a value, and the sources that name all subjects of a room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ImproperlyConfigured

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
