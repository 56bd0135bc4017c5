"""The admin's pages of this storey, to read: what changes goes through verbs."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from merchants.accounts.models import ApiKey, Member, Merchant


class ReadOnlyAdmin:
    """What may be seen and not changed."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Verbs add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Verbs change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted."""
        return False


class MemberInline(ReadOnlyAdmin, admin.TabularInline):  # type: ignore[type-arg]
    """The merchant's people."""

    model = Member
    extra = 0


class ApiKeyInline(ReadOnlyAdmin, admin.TabularInline):  # type: ignore[type-arg]
    """The merchant's keys."""

    model = ApiKey
    extra = 0
    fields = ["prefix", "label", "livemode", "scopes", "created_at", "last_used_at", "revoked_at"]


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Merchants with their people and keys."""

    list_display = ["name", "public_id", "status", "may_live", "created_at"]
    list_filter = ["status", "may_live"]
    search_fields = ["name", "public_id__exact"]
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    fields = [
        "public_id", "name", "short_name", "status", "suspended_at", "may_live", "callback_url",
        "created_at",
    ]  # fmt: skip
    inlines = [MemberInline, ApiKeyInline]
