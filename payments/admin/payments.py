"""Payments: the list, and the page with everything that happened to one."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from payments.acquiring.models import Payment
from payments.acquiring.search import find_payment_ids
from payments.acquiring.states import PaymentState
from payments.acquiring.story import story_of
from payments.acquiring.timeline import method_label, staff_timeline
from payments.admin import columns, tones
from payments.admin.books import journal_tables
from payments.admin.filters import DayFilter
from payments.admin.raw import readable
from payments.admin.readonly import ReadOnlyAdmin
from payments.money import Money

MERCHANT_PREFIX = "mch_"


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Found by any number: ours, the merchant's, the gateway's, or a merchant's own."""

    list_display = ("shown_number", "status", "amount", "shop", "paid_with", "created")
    list_filter = ("state", "livemode", "channel", DayFilter)
    list_select_related = ("merchant", "channel")
    list_defer = ("customer", "metadata", "fingerprint", "description")
    search_fields = ("public_id",)
    search_help_text = _(
        "An exact number: payment, attempt, refund, merchant's order, gateway, or merchant (mch_…)"
    )
    public_field = "public_id"

    shown_number = columns.number("public_id", _("number"))
    status = columns.badge("state", _("state"), tones.PAYMENT)
    amount = columns.amount(_("amount"))
    created = columns.moment("created_at", _("created at"))

    @admin.display(description=_("merchant and order"))
    def shop(self, payment: Payment) -> SafeString:
        """The merchant's short name and its own number."""
        return format_html(
            '{}<br><span class="mono order">{}</span>',
            payment.merchant.shown_name,
            payment.merchant_order_no,
        )

    @admin.display(description=_("paid with"))
    def paid_with(self, payment: Payment) -> str:
        """The method's name."""
        return method_label(payment.method) if payment.method else columns.EMPTY

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        """Pages show the merchant and the channel."""
        rows: QuerySet[Payment] = super().get_queryset(request)
        return rows.select_related("merchant", "channel")

    def search_sifts(self, number: str) -> bool:
        """A merchant has many payments."""
        return number.strip().startswith(MERCHANT_PREFIX)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        """By any number that belongs to a payment, or all of a merchant."""
        number = search_term.strip()
        if not number:
            return queryset, False
        if self.search_sifts(number):
            return queryset.filter(merchant__public_id=number), False
        return queryset.filter(pk__in=find_payment_ids(number)), False

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  Django's signature
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """Put the story beside the facts."""
        if isinstance(obj, Payment):
            story = story_of(obj)
            context |= {
                "story": story,
                "timeline": staff_timeline(story),
                "journals": journal_tables(story.journals),
                "raw": [(row, readable(bytes(row.body))) for row in story.notifications],
                "tone": tones.PAYMENT.get(PaymentState(obj.state), "neutral"),
                "refunded": Money(obj.refunded_minor, obj.currency),
                "method": method_label(obj.method) if obj.method else "",
            }
        return super().render_change_form(request, context, add, change, form_url, obj)
