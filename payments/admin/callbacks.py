"""Events, and the callbacks that carry them to merchants, with every try."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from compliance.audit.actor import Actor
from compliance.identity.showing import EMPTY
from payments.admin import columns, tones
from payments.admin.deeds import DeedAdmin
from payments.admin.filters import DayFilter
from payments.admin.links import endpoint_link, subject_link
from payments.admin.raw import readable_json
from payments.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from payments.callbacks.models import TEST, Callback, CallbackTry, Event
from payments.callbacks.resending import resend_by_staff


class TryInline(ReadOnlyInline):
    """What was answered, and when."""

    model = CallbackTry
    template = "admin/payments/lines.html"
    fields = ("number", "made", "status", "error", "duration_ms", "answer")
    readonly_fields = fields
    ordering = ("number",)

    made = columns.moment("at", _("at"))


@admin.register(Callback)
class CallbackAdmin(DeedAdmin):
    """One event on its way to one address."""

    list_display = ("about", "what", "result", "tries", "shop", "due", "created")
    list_display_links = ("what",)
    list_filter = ("state", DayFilter)
    list_select_related = ("event", "merchant", "endpoint")
    list_defer = ("event__data",)
    search_fields = ("event__public_id", "event__subject")
    search_help_text = _("An exact number: event, payment or refund")
    fields = (
        "what", "about", "result", "receiver", "url", "shop", "tries", "due", "created", "ended",
    )  # fmt: skip
    inlines = (TryInline,)
    deed = "resend"
    deed_label = _("Send again")
    deed_done = _("It is sent again now.")

    result = columns.badge("state", _("state"), tones.CALLBACK)
    due = columns.moment("due_at", _("next try at"))
    created = columns.moment("created_at", _("created at"))
    ended = columns.moment("ended_at", _("ended at"))

    @admin.display(description=_("event"))
    def what(self, callback: Callback) -> str:
        """What the merchant is told."""
        return callback.event.get_type_display()

    @admin.display(description=_("about"))
    def about(self, callback: Callback) -> str:
        """The payment or refund, linked."""
        return subject_link(callback.event.subject)

    @admin.display(description=_("merchant"))
    def shop(self, callback: Callback) -> str:
        """The merchant's short name."""
        return callback.merchant.shown_name

    @admin.display(description=_("callback endpoint"))
    def receiver(self, callback: Callback) -> str:
        """The endpoint, linked; none where the payment named the address."""
        return endpoint_link(callback.endpoint) if callback.endpoint else EMPTY

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Pages show the event and the merchant."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("event", "merchant", "endpoint")

    def is_open(self, row: Any) -> bool:
        """A test is sent anew by its owner."""
        return bool(row.event.type != TEST)

    def do(self, row: Any, *, reason: str, actor: Actor) -> None:
        """Send it again."""
        resend_by_staff(callback=row.pk, reason=reason, actor=actor, at=timezone.now())


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What happened, with the object as it was then."""

    list_display = ("shown_number", "type", "about", "shop", "mode", "created")
    list_filter = ("type", "livemode", DayFilter)
    list_select_related = ("merchant",)
    list_defer = ("data",)
    search_fields = ("public_id", "subject")
    search_help_text = _("An exact number: event, payment or refund")
    public_field = "public_id"
    fields = ("shown_number", "type", "about", "shop", "mode", "created", "object")

    shown_number = columns.number("public_id", _("number"))
    mode = columns.mode()
    created = columns.moment("created_at", _("created at"))

    @admin.display(description=_("about"))
    def about(self, event: Event) -> str:
        """The payment or refund, linked."""
        return subject_link(event.subject)

    @admin.display(description=_("merchant"))
    def shop(self, event: Event) -> str:
        """The merchant's short name."""
        return event.merchant.shown_name

    @admin.display(description=_("data"))
    def object(self, event: Event) -> SafeString:
        """What the merchant is sent."""
        return format_html('<pre class="raw">{}</pre>', readable_json(event.data))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Pages show the merchant."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("merchant")
