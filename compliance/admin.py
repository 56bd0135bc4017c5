"""The admin's pages of this storey: people, their authenticators, and the audit trail (to read)."""

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.approvals.admin import ApprovalAdmin
from compliance.audit.models import AuditEntry
from compliance.audit.trail import record
from compliance.identity.models import Authenticator, RoleGrant, User
from compliance.identity.readonly import ReadOnly
from compliance.identity.signin import actor_of

__all__ = ["ApprovalAdmin"]

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


class RolesInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The person's roles, to read: approvals give and take them."""

    model = RoleGrant
    fk_name = "user"
    extra = 0
    fields = ["role", "granted_by", "granted_at"]
    readonly_fields = ["role", "granted_by", "granted_at"]
    can_delete = False


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People are deactivated here, never deleted."""

    list_display = ["username", "display_name", "email", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "role_grants__role"]
    search_fields = ["username", "display_name", "email"]
    ordering = ["username"]
    list_per_page = 50
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["display_name", "email", "language"]}),
        (
            pgettext_lazy("person", "Account"),
            {"fields": ["is_active", "is_staff", "is_superuser", "person_ref"]},
        ),
        (_("Times"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "classes": ["wide"],
                "fields": [
                    "username",
                    "display_name",
                    "email",
                    "person_ref",
                    "password1",
                    "password2",
                ],
            },
        ),
    ]
    # Rights come from roles, and roles from approvals: no form sets any of these.
    readonly_fields = ["is_staff", "is_superuser", "last_login", "date_joined"]
    filter_horizontal = ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[Any]]:
        """Whoever is added has no roles yet."""
        return [RolesInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Whose account it is stays as it was given."""
        return [*self.readonly_fields, "person_ref"] if obj else list(self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only a superuser touches a superuser's account, password included."""
        is_above = getattr(obj, "is_superuser", False) and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: "ModelForm[User]",
        change: bool,  # noqa: FBT001
    ) -> None:
        """Save, and record which fields were set; the admin runs it in one transaction."""
        super().save_model(request, obj, form, change)
        self._record(request, obj, "changed" if change else "added", form.changed_data)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        """Set a password and record that, in one transaction."""
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
                self._record(request, User.objects.get(pk=id), "password_set", [])
            return answer

    def _record(self, request: HttpRequest, obj: User, deed: str, fields: list[str]) -> None:
        record(
            actor_of(request),
            f"person.{deed}",
            subject=("user", str(obj.pk)),
            facts={"username": obj.username, "fields": sorted(fields)},
        )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Audit entries name people for years."""
        return False


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who has enrolled, to read. A lost one is taken away by an approval: see the person's page."""

    list_display = ["user", "confirmed", "created_at"]
    list_filter = ["confirmed"]
    search_fields = ["user__username"]
    list_select_related = ["user"]
    fields = ["user", "confirmed", "created_at"]
    readonly_fields = ["user", "confirmed", "created_at"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The trail, to read. Exact search by subject keeps it fast at any length."""

    list_display = ["at", "action", "subject_kind", "subject_id", "actor_label", "address"]
    list_display_links = ["at"]
    ordering = ["-pk"]
    search_fields = ["subject_id__exact"]
    search_help_text = _("The subject's exact number")
    show_full_result_count = False
    list_per_page = 50
    paginator = CappedPaginator

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None."""
        return {}
