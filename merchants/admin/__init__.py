"""The admin's pages of this storey, to read: what changes goes through verbs."""

from django.contrib import admin

from compliance.identity.readonly import ReadOnly
from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.admin.applications import ApplicationAdmin
from merchants.admin.renewals import RenewalAdmin
from merchants.admin.screening import ListVersionAdmin, ScreeningHitAdmin, ScreeningListAdmin
from merchants.admin.tickets import TicketAdmin

__all__ = [
    "ApplicationAdmin", "ListVersionAdmin", "MerchantAdmin", "RenewalAdmin", "ScreeningHitAdmin",
    "ScreeningListAdmin", "TicketAdmin",
]  # fmt: skip


class MemberInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The merchant's people."""

    model = Member
    extra = 0


class ApiKeyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The merchant's keys."""

    model = ApiKey
    extra = 0
    fields = ["prefix", "label", "livemode", "scopes", "created_at", "last_used_at", "revoked_at"]


@admin.register(Merchant)
class MerchantAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
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
