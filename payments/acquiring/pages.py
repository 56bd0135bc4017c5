"""Pages that stay quick at any length: newest first, by key, and never counted.

A page is `id < before` or `id > after`, so that page 1,000 costs what page 1 costs. A filter may
match one row in a million: to fill a page it would read the whole table. Therefore a sifted page
looks at no more than a window of rows, says so, and offers to look further.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

WINDOW: Final = 20_000
"""Of keys, where all rows of a table are looked through."""
OWN_WINDOW: Final = 10_000
"""Of rows, where one merchant's are: they are scattered, so each costs a look of its own."""
KEY_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: below `before`, above `after`, at the end, or (all 0) at the top."""

    before: int = 0
    after: int = 0
    is_last: bool = False

    @property
    def is_first(self) -> bool:
        """Whether this is the top."""
        return not (self.before or self.after or self.is_last)


@dataclass(frozen=True, slots=True)
class Reach:
    """The keys that a list may show (`low` < id < `high`), and whether rows of them are sifted."""

    low: int = 0
    high: int = KEY_MAX
    is_sifted: bool = False

    def floor(self, top: int) -> int:
        """The key above which a page that begins at `top` looks."""
        return max(self.low, top - 1 - WINDOW) if self.is_sifted else self.low

    def ceiling(self, low: int) -> int:
        """The key below which a page that goes up from `low` looks."""
        return min(self.high, low + 1 + WINDOW) if self.is_sifted else self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReach(Reach):
    """The same among one merchant's rows. `own` are all of them, with an index on their keys."""

    own: QuerySet[Any]

    def floor(self, top: int) -> int:
        """One look along the index."""
        rows = self.own.filter(pk__gt=self.low, pk__lt=top).order_by("-pk")
        return self._edge(rows, self.low)

    def ceiling(self, low: int) -> int:
        """One look along the index."""
        rows = self.own.filter(pk__gt=low, pk__lt=self.high).order_by("pk")
        return self._edge(rows, self.high)

    def _edge(self, rows: QuerySet[Any], end: int) -> int:
        if not self.is_sifted:
            return end
        found = list(rows.values_list("pk", flat=True)[OWN_WINDOW : OWN_WINDOW + 1])
        return int(found[0]) if found else end


@dataclass(frozen=True, slots=True)
class Slice:
    """One page. `older` and `newer` are keys to go on from, 0 where there is nothing to go to."""

    rows: list[Any]
    older: int
    newer: int
    is_cut: bool = False
    """Whether the page ends because a window was looked at, and not because it is full."""


def page_at(rows: QuerySet[Any], reach: Reach, *, place: Place, size: int) -> Slice:
    """The page at a place."""
    page = None
    if place.is_last:
        page = newer_slice(rows, reach, after=reach.low, size=size)
    elif place.after:
        page = newer_slice(rows, reach, after=place.after, size=size)
    return page or older_slice(rows, reach, before=place.before, size=size)


def older_slice(rows: QuerySet[Any], reach: Reach, *, before: int, size: int) -> Slice:
    """The page below `before`; 0 starts at the top."""
    top = min(before or KEY_MAX, reach.high)
    low = reach.floor(top)
    found = list(rows.filter(pk__gt=low, pk__lt=top).order_by("-pk")[: size + 1])
    is_full = len(found) > size
    shown = found[:size]
    is_cut = not is_full and low > reach.low
    older = shown[-1].pk if is_full else low + 1 if is_cut else 0
    newer = 0 if not before else shown[0].pk if shown else before - 1
    return Slice(shown, older, newer, is_cut)


def newer_slice(rows: QuerySet[Any], reach: Reach, *, after: int, size: int) -> Slice | None:
    """The page above `after`. None: it is the first one, which is better shown from the top."""
    low = max(after, reach.low)
    top = reach.ceiling(low)
    found = list(rows.filter(pk__gt=low, pk__lt=top).order_by("pk")[: size + 1])
    is_full = len(found) > size
    is_cut = not is_full and top < reach.high
    if not is_full and not is_cut:
        return None
    shown = found[:size][::-1]
    newer = shown[0].pk if is_full else top - 1
    older = 0 if after <= reach.low else shown[-1].pk if shown else after + 1
    return Slice(shown, older, newer, is_cut)
