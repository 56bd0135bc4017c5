"""What all pages of this storey's admin share: they are read, quick, and change nothing."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from compliance.identity.readonly import ReadOnly
from payments.admin.keyset import KeysetChangeList

FOUND_MAX: Final = 200

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
else:
    _Admin, _Inline = admin.ModelAdmin, admin.TabularInline


class ReadOnlyInline(ReadOnly, _Inline):
    """Rows below another row."""

    extra = 0
    can_delete = False
    show_change_link = False


class ReadOnlyAdmin(ReadOnly, _Admin):
    """A list by key and a page to read."""

    actions = None
    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    time_field = "created_at"
    """The column that the day filter compares; it grows with the key."""
    public_field = ""
    """A unique column by which a page may be addressed, beside the key."""
    list_defer: Sequence[str] = ()
    """Columns that a list does not read."""

    class Media:
        """The sheet of these pages."""

        css = {"all": ["css/admin-payments.css"]}

    def search_lookups(self, number: str) -> Sequence[Mapping[str, Any]]:
        """Exact conditions, each with an index; a row that meets one of them is found."""
        return [{field: number} for field in self.search_fields]

    def search_sifts(self, number: str) -> bool:
        """Whether the search may find many rows, to be sifted like those of a filter."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look numbers up one by one: one condition over several columns would read the table."""
        if not (number := search_term.strip()):
            return queryset, False
        rows = self.model._default_manager.order_by()  # noqa: SLF001  Django's documented name
        lookups = self.search_lookups(number)
        first, *others = [rows.filter(**lookup).values_list("pk") for lookup in lookups]
        found = first.union(*others)[:FOUND_MAX] if others else first[:FOUND_MAX]
        return queryset.filter(pk__in=[key for (key,) in found]), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Lists go by key."""
        return KeysetChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """Find by key, or by the public number, so that pages can be linked from anywhere."""
        is_key = object_id.isascii() and object_id.isdecimal()
        if is_key or not self.public_field:
            return super().get_object(request, object_id, from_field)
        rows = self.get_queryset(request)
        return rows.filter(**{self.public_field: object_id}).first()
