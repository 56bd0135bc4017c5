"""The table of classes: what is kept, why, how long, and who destroys it. Rooms add their own."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from compliance.audit.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """One class of things with a term.

    `due` names, by public id, what began its term before a moment; `erase` destroys some of them
    and is safe to repeat. A class without them is emptied by a task, or never.
    """

    name: str
    label: str | Promise
    basis: str | Promise
    """The law or the reason."""
    term: timedelta | None
    """None: for ever."""
    begins: str | Promise
    """When the term begins."""
    action: str | Promise
    """What happens at its end."""
    due: Callable[[datetime], Collection[str]] | None = None
    erase: Callable[[Sequence[str], Actor, datetime, str], None] | None = None

    def cutoff(self, at: datetime) -> datetime | None:
        """What began its term before this moment is over."""
        return None if self.term is None else at - self.term


_classes: Final[dict[str, RetentionClass]] = {}


def register_class(one: RetentionClass) -> None:
    """Make a class known, once, from an application's `ready`."""
    if _classes.get(one.name, one) is not one:
        raise ImproperlyConfigured(f"two classes of retention are called {one.name}")
    _classes[one.name] = one


def classes() -> Sequence[RetentionClass]:
    """All of them, by name."""
    return [_classes[name] for name in sorted(_classes)]


def find_class(name: str) -> RetentionClass | None:
    """The class of this name, when its items are destroyed by a request."""
    one = _classes.get(name)
    return one if one is not None and one.due is not None else None
