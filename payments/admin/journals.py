"""Journals with their postings: the books, to read."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from payments.admin import columns
from payments.admin.books import journal_table
from payments.admin.filters import DayFilter
from payments.admin.links import subject_link
from payments.admin.readonly import ReadOnlyAdmin
from payments.ledger.models import Journal


@admin.register(Journal)
class JournalAdmin(ReadOnlyAdmin):
    """One fact about money each. The database refuses journals that do not balance."""

    list_display = ("booked", "shown_kind", "about", "amount", "happened")
    list_display_links = ("booked",)
    list_filter = (DayFilter,)
    search_fields = ("subject",)
    search_help_text = _("An exact number: payment, attempt or refund")
    fields = ("shown_kind", "about", "happened", "booked")

    booked = columns.moment("created_at", _("booked at"))
    happened = columns.moment("at", _("happened at"))
    shown_kind = columns.number("kind", _("kind"))

    @admin.display(description=_("about"))
    def about(self, journal: Journal) -> str:
        """The payment or refund, linked."""
        return subject_link(journal.subject)

    @admin.display(description=_("amount"))
    def amount(self, journal: Journal) -> SafeString:
        """What each side adds up to."""
        sums = journal_table(journal).sums
        return format_html_join(" ", '<span class="money">{}</span>', ((one.text,) for one in sums))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists and pages show the postings."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related("postings__account")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  Django's signature
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """Add the two sides."""
        if isinstance(obj, Journal):
            context["table"] = journal_table(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)
