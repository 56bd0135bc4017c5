"""Lists that stay quick at any length: newest first, by key, and never counted.

A page is `id < before` or `id > after`, so that page 1,000 costs what page 1 costs. A filter may
match one row in a million: to fill a page it would read the whole table. Therefore a filtered page
looks at no more than WINDOW keys, says so, and offers to look further back.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.db.models import Max, Min, Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.functional import cached_property

from payments.acquiring.positions import first_id_since
from payments.admin.filters import DayFilter, Span

BEFORE: Final = "before"
AFTER: Final = "after"
WINDOW: Final = 50_000
KEY_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Reach:
    """The keys that a list may show (`low` < id < `high`), and whether rows of them are sifted."""

    low: int
    high: int
    is_sifted: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """One page. `older` and `newer` are keys to go on from, 0 where there is nothing to go to."""

    rows: list[Any]
    older: int
    newer: int
    is_cut: bool
    """Whether the page ends because WINDOW keys were looked at, and not because it is full."""


def older_slice(rows: QuerySet[Any], reach: Reach, *, before: int, size: int) -> Slice:
    """The page below `before`; 0 starts at the top."""
    top = min(before or KEY_MAX, reach.high)
    low = max(reach.low, top - 1 - WINDOW) if reach.is_sifted else reach.low
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
    top = min(reach.high, low + 1 + WINDOW) if reach.is_sifted else reach.high
    found = list(rows.filter(pk__gt=low, pk__lt=top).order_by("pk")[: size + 1])
    is_full = len(found) > size
    is_cut = not is_full and top < reach.high
    if not is_full and not is_cut:
        return None
    shown = found[:size][::-1]
    newer = shown[0].pk if is_full else top - 1
    return Slice(shown, shown[-1].pk if shown else after + 1, newer, is_cut)


def estimated_count(model: type[Model]) -> int | None:
    """About how many rows the table has, as PostgreSQL remembers; None when it never looked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = %s::regclass",
            [connection.ops.quote_name(model._meta.db_table)],  # noqa: SLF001
        )
        (estimate,) = cursor.fetchone() or (-1,)
    return int(estimate) if estimate >= 0 else None


class KeysetChangeList(ChangeList):
    """Django's list with pages by key. Its templates find `newer_url`, `older_url` and `about`."""

    model_admin: Any
    slice: Slice
    span: Span | None
    before = 0
    after = 0

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Take the position out of the parameters: filters begin at the top again."""
        self.before = self._take_key(BEFORE)
        self.after = self._take_key(AFTER)
        rows = super().get_queryset(request, exclude_parameters)
        days = [spec.span for spec in self.filter_specs if isinstance(spec, DayFilter)]
        self.span = days[0] if days else None
        return rows.defer(*self.model_admin.list_defer)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """Newest first, always: there is no index for any other order."""
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Find the page. Nothing is counted."""
        reach, rows = self._reach(), self.queryset
        page = None
        if self.after:
            page = newer_slice(rows, reach, after=self.after, size=self.list_per_page)
        if page is None:
            page = older_slice(rows, reach, before=self.before, size=self.list_per_page)
        self.slice = page
        self.result_list = page.rows
        # Django's templates show a count only where these differ.
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = False
        self.can_show_all = self.multi_page = self.show_admin_actions = False

    def _take_key(self, name: str) -> int:
        self.filter_params.pop(name, None)
        text = self.params.pop(name, "")
        return min(int(text), KEY_MAX) if text.isascii() and text.isdecimal() else 0

    def _reach(self) -> Reach:
        """Where to look: within the chosen days, and sifting when a filter may leave rows out."""
        is_direct = self.query and not self.model_admin.search_sifts(self.query)
        is_sifted = bool(self.get_filters_params() or self.query) and not is_direct
        low, high = 0, KEY_MAX
        if self.span:
            table, column = self.opts.db_table, self.model_admin.time_field
            low = max(0, first_id_since(table, column, at=self.span.start) - 1)
            high = first_id_since(table, column, at=self.span.end_with_jitter)
            self.queryset = self.queryset.filter(**self.span.lookups(column))
        elif is_sifted:
            ends = self.root_queryset.aggregate(bottom=Min("pk"), top=Max("pk"))
            low, high = (ends["bottom"] or 1) - 1, (ends["top"] or 0) + 1
        return Reach(low, high, is_sifted)

    @property
    def newer_url(self) -> str:
        """The page of younger rows, or "" on the first one."""
        return self.get_query_string({AFTER: self.slice.newer}) if self.slice.newer else ""

    @property
    def older_url(self) -> str:
        """The page of older rows, or ""."""
        return self.get_query_string({BEFORE: self.slice.older}) if self.slice.older else ""

    @property
    def is_whole(self) -> bool:
        """Whether this page shows all that there is."""
        return not (self.slice.older or self.slice.newer)

    @cached_property
    def about(self) -> int | None:
        """About how many rows there are; None when nobody knows without counting."""
        if self.get_filters_params() or self.query:
            return None
        return estimated_count(self.model)
