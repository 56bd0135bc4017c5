"""Refunds: money on its way back to payers."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from payments.acquiring.models import Refund
from payments.admin import columns, tones
from payments.admin.filters import DayFilter
from payments.admin.links import payment_link
from payments.admin.readonly import ReadOnlyAdmin


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """A refund keeps one number at the gateway for life."""

    list_display = ("shown_number", "status", "amount", "order", "is_late_return", "created")
    list_filter = ("state", "is_late_return", DayFilter)
    list_select_related = ("payment",)
    list_defer = ("payment__customer", "payment__metadata")
    search_fields = ("public_id", "number", "payment__public_id")
    search_help_text = _("An exact number: refund or payment")
    public_field = "public_id"
    fieldsets = (
        (None, {"fields": ("shown_number", "order", "status", "amount", "reason", "failure")}),
        (_("Gateway"), {"fields": ("gateway_side", "attempt", "asked", "is_late_return")}),
        (_("Times"), {"fields": ("created", "due", "ended")}),
    )

    shown_number = columns.number("public_id", _("number"))
    gateway_side = columns.number("number", _("number at the gateway"))
    status = columns.badge("state", _("state"), tones.REFUND)
    amount = columns.amount(_("amount"))
    created = columns.moment("created_at", _("created at"))
    due = columns.moment("due_at", _("next step at"))
    ended = columns.moment("ended_at", _("ended at"))

    @admin.display(description=_("payment"))
    def order(self, refund: Refund) -> str:
        """The payment, linked."""
        return payment_link(refund.payment)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Pages show the payment."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("payment")
