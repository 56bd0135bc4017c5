"""Notifications: what gateways sent us, exactly as it came."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from compliance.identity.showing import EMPTY
from payments.acquiring.models import Notification
from payments.admin import columns, tones
from payments.admin.filters import DayFilter
from payments.admin.links import subject_link
from payments.admin.raw import readable, readable_json
from payments.admin.readonly import ReadOnlyAdmin
from payments.channels.models import Channel


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Refused ones are kept too: they are evidence."""

    list_display = ("received", "result", "reason", "channel", "names", "copies", "address")
    list_display_links = ("received",)
    list_filter = ("verdict", "channel", DayFilter)
    list_select_related = ("channel",)
    list_defer = ("body", "headers")
    search_fields = ("number",)
    search_help_text = _("An exact number: attempt, refund, or the gateway's key of the message")
    time_field = "received_at"
    fieldsets = (
        (None, {"fields": ("result", "reason", "channel", "names", "received", "copies")}),
        (_("Message"), {"fields": ("shown_key", "address", "raw_headers", "raw_body")}),
    )

    received = columns.moment("received_at", _("received at"))
    result = columns.badge("verdict", _("verdict"), tones.VERDICT)
    shown_key = columns.number("key", _("key"))

    @admin.display(description=_("number"))
    def names(self, row: Notification) -> str:
        """What the message is about, linked."""
        return subject_link(row.number) if row.number else EMPTY

    @admin.display(description=_("headers"))
    def raw_headers(self, row: Notification) -> SafeString:
        """As they came."""
        return format_html('<pre class="raw">{}</pre>', readable_json(row.headers))

    @admin.display(description=_("body"))
    def raw_body(self, row: Notification) -> SafeString:
        """As text, escaped and cut; folded, because it may name a person."""
        return format_html(
            '<details><summary>{}</summary><pre class="raw">{}</pre></details>',
            _("Show the message"),
            readable(bytes(row.body)),
        )

    def search_lookups(self, number: str) -> Sequence[Mapping[str, Any]]:
        """A key is unique per channel, and its index begins with the channel."""
        channels = list(Channel.objects.values_list("pk", flat=True))
        return [{"number": number}, {"key": number, "channel__in": channels}]
