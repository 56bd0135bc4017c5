"""Attempts: tries to get a payment paid on one channel."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from payments.acquiring.models import Attempt
from payments.acquiring.timeline import method_label
from payments.admin import columns, tones
from payments.admin.filters import DayFilter
from payments.admin.links import payment_link
from payments.admin.readonly import ReadOnlyAdmin


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """The number is ours at the gateway; the gateway has its own once it was paid."""

    list_display = ("shown_number", "status", "amount", "way", "channel", "trade", "created")
    list_filter = ("state", "channel", DayFilter)
    list_select_related = ("channel",)
    list_defer = ("presentation",)
    search_fields = ("number", "gateway_number", "payment__public_id")
    search_help_text = _("An exact number: attempt, gateway's number, or payment")
    public_field = "number"
    fieldsets = (
        (None, {"fields": ("shown_number", "order", "status", "amount", "failure")}),
        (_("Gateway"), {"fields": ("way", "product", "channel", "trade", "client_ip")}),
        (
            _("Times"),
            {"fields": ("created", "expires", "ended", "asked", "asked_last", "ask_next")},
        ),
    )

    shown_number = columns.number("number", _("number"))
    status = columns.badge("state", _("state"), tones.ATTEMPT)
    amount = columns.amount(_("amount"))
    trade = columns.number("gateway_number", _("gateway's number"))
    created = columns.moment("created_at", _("created at"))
    expires = columns.moment("expires_at", _("expires at"))
    ended = columns.moment("ended_at", _("ended at"))
    asked_last = columns.moment("asked_at", _("last asked at"))
    ask_next = columns.moment("ask_at", _("ask again at"))

    @admin.display(description=_("payment"))
    def order(self, attempt: Attempt) -> str:
        """The payment, linked."""
        return payment_link(attempt.payment)

    @admin.display(description=_("method"))
    def way(self, attempt: Attempt) -> str:
        """The method's name."""
        return method_label(attempt.method)
