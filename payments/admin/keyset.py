"""Django's list with the pages of `acquiring.pages`: by key, and never counted."""

from typing import Any, Final

from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.db.models import Max, Min, Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.functional import cached_property

from payments.acquiring.pages import KEY_MAX, Place, Reach, Slice, page_at
from payments.acquiring.positions import Span
from payments.admin.filters import DayFilter, DaysFilter, common_span

BEFORE: Final = "before"
AFTER: Final = "after"
LAST: Final = "end"


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
    place = Place()
    reach = Reach()

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Take the position out of the parameters: filters begin at the top again."""
        self.place = Place(
            self._take_key(BEFORE), self._take_key(AFTER), is_last=bool(self._take_key(LAST))
        )
        rows = super().get_queryset(request, exclude_parameters)
        self.span = common_span(
            spec.span for spec in self.filter_specs if isinstance(spec, DayFilter | DaysFilter)
        )
        return rows.defer(*self.model_admin.list_defer)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """Newest first, always: there is no index for any other order."""
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Find the page. Nothing is counted."""
        self.reach = self._reach()
        page = page_at(self.queryset, self.reach, place=self.place, size=self.list_per_page)
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
            low, high = self.span.keys(table, column)
            self.queryset = self.queryset.filter(**self.span.lookups(column))
        elif is_sifted:
            ends = self.root_queryset.aggregate(bottom=Min("pk"), top=Max("pk"))
            low, high = (ends["bottom"] or 1) - 1, (ends["top"] or 0) + 1
        return Reach(low, high, is_sifted)

    @property
    def first_url(self) -> str:
        """The top of the list, or "" there."""
        if self.place.is_first or not self.slice.newer:
            return ""
        return self.get_query_string(remove=[BEFORE, AFTER, LAST])

    @property
    def last_url(self) -> str:
        """The oldest rows, or "" where they are shown."""
        return self.get_query_string({LAST: 1}) if self.slice.older else ""

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
