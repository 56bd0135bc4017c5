"""Payments: the list, and the page with everything that happened to one."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from compliance.identity.roles import Ability, may
from compliance.identity.showing import EMPTY
from compliance.identity.signin import actor_of, person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from payments.acquiring.asking import RefundWish
from payments.acquiring.facts import facts_of
from payments.acquiring.models import Payment
from payments.acquiring.pay import CLOSE_REASON_MAX
from payments.acquiring.refund_words import refund_told, typed_wish
from payments.acquiring.refunding import request_refund_by_staff
from payments.acquiring.search import find_payment_ids
from payments.acquiring.states import PaymentState
from payments.acquiring.story import story_of
from payments.acquiring.timeline import method_label, staff_timeline
from payments.admin import columns, payment_deeds, payment_export, tones
from payments.admin.books import journal_tables
from payments.admin.filters import AmountFilter, DayFilter, DaysFilter, MethodFilter
from payments.admin.keyset import KeysetChangeList
from payments.admin.raw import readable
from payments.admin.readonly import ReadOnlyAdmin
from payments.errors import Refusal
from payments.money import Money

MERCHANT_PREFIX = "mch_"


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Found by any number: ours, the merchant's, the gateway's, or a merchant's own."""

    list_display = ("shown_number", "status", "amount", "shop", "paid_with", "created")
    list_filter = (
        "state", MethodFilter, "channel", DayFilter, DaysFilter, AmountFilter, "livemode",
    )  # fmt: skip
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
        return method_label(payment.method) if payment.method else EMPTY

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

    def get_urls(self) -> list[URLPattern]:
        """Giving money back, asking the gateway, closing."""
        deeds = {"refund": self.refund, "ask": payment_deeds.ask, "close": payment_deeds.close}
        export = self.admin_site.admin_view(require_POST(self.export))
        return [
            path("export/", export, name="payments_payment_export"),
            *(
                path(
                    f"<int:row>/{name}/",
                    self.admin_site.admin_view(require_POST(view)),
                    name=f"payments_payment_{name}",
                )
                for name, view in deeds.items()
            ),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list of the address, narrowed as it says, as a file."""
        changelist = cast("KeysetChangeList", self.get_changelist_instance(request))
        return payment_export.export(request, changelist)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the way to take the list out, for those who may."""
        person = person_of(request)
        may_export = person is not None and may(person, Ability.PAYMENTS_EXPORT)
        context = {**(extra_context or {}), "may_export": may_export}
        return super().changelist_view(request, context)

    def refund(self, request: HttpRequest, row: int) -> HttpResponse:
        """Refund for the merchant, after the second factor for just this amount."""
        person = person_of(request)
        payment = self.get_queryset(request).filter(pk=row).first()
        if person is None or not may(person, Ability.REFUNDS_REQUEST):
            raise PermissionDenied
        if payment is None:
            raise Http404
        page = reverse("admin:payments_payment_change", args=[row])
        try:
            wish = typed_wish(
                number="staff", amount=request.POST.get("amount", ""),
                reason=request.POST.get("reason", ""), currency=payment.currency,
            )  # fmt: skip
            if not wish.reason:
                messages.error(request, gettext("Write down why."))
                return redirect(page)
            if answer := requires_step_up(request, _wish(payment, wish), back=page):
                return answer
            made = request_refund_by_staff(
                payment=payment.public_id, amount_minor=wish.amount_minor, reason=wish.reason,
                by=person, actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip
        except Refusal as refusal:
            messages.error(request, refund_told(refusal, currency=payment.currency))
            return redirect(page)
        if made.status == "awaiting_approval":
            messages.success(request, gettext("The refund waits for a second person."))
        else:
            messages.success(request, gettext("The refund is on its way."))
        return redirect(page)

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
                "left": _left_for(request, obj),
                "deeds": payment_deeds.deeds_for(person_of(request), obj),
                "close_reason_max": CLOSE_REASON_MAX,
                "method": method_label(obj.method) if obj.method else "",
            }
        return super().render_change_form(request, context, add, change, form_url, obj)


def _left_for(request: HttpRequest, payment: Payment) -> Money | None:
    """What the reader may give back; None: nothing, or it is not theirs to do."""
    person = person_of(request)
    if person is None or not may(person, Ability.REFUNDS_REQUEST):
        return None
    left = facts_of(payment).amount_refundable
    return left if payment.state == PaymentState.PAID and left.minor > 0 else None


def _wish(payment: Payment, wish: RefundWish) -> Deed:
    amount = Money(wish.amount_minor, payment.currency)
    return Deed(
        purpose="refund.request_by_staff",
        title=gettext("Refund a payment"),
        facts=(
            Fact("merchant", gettext("Merchant"), payment.merchant.public_id,
                 shown=payment.merchant.name),
            Fact("payment", gettext("Payment"), payment.public_id),
            Fact("amount", gettext("Amount"), str(wish.amount_minor), shown=str(amount)),
            Fact("reason", gettext("Reason"), wish.reason),
        ),
    )  # fmt: skip
