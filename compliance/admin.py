"""The admin's pages of this storey: people, requests, and the audit trail (to read)."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from compliance.approvals.admin import ApprovalAdmin
from compliance.audit.models import AuditEntry
from compliance.audit.search import Wanted, narrowed
from compliance.identity.admin import AuthenticatorAdmin, PersonAdmin
from compliance.identity.readonly import ReadOnly
from compliance.jobs.admin import JobAdmin

__all__ = ["ApprovalAdmin", "AuthenticatorAdmin", "JobAdmin", "PersonAdmin"]

COUNT_MAX = 10_000


# Groups give no rights here: roles do.
admin.site.unregister(Group)


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than a person pages: COUNT over a table of millions takes its time."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or COUNT_MAX when there are more."""
        rows = self.object_list
        return rows[:COUNT_MAX].count() if isinstance(rows, QuerySet) else len(rows)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The trail, to read."""

    list_display = ["at", "action", "subject_kind", "subject_id", "actor_label", "address"]
    list_display_links = ["at"]
    ordering = ["-at", "-pk"]
    search_fields = ["subject_id"]
    search_help_text = _("Kind and number of the subject, such as “user 4”")
    show_full_result_count = False
    list_per_page = 50
    paginator = CappedPaginator

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """By an index. The desk's search also finds by actor, action and time."""
        return narrowed(queryset, Wanted(subject=search_term)), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None."""
        return {}
