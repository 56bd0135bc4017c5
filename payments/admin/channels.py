"""Channels: configured connections to gateways. What they sign with is never shown."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from payments.admin import columns
from payments.admin.readonly import ReadOnlyAdmin
from payments.channels.models import Channel


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Who may change one does so through a verb, which seals the credentials."""

    list_display = ("name", "shown_code", "gateway", "mode", "is_active", "version")
    list_filter = ("livemode", "is_active")
    list_defer = ("credentials_sealed",)
    search_fields = ("code",)
    search_help_text = _("An exact code")
    fields = (
        "name", "shown_code", "gateway", "mode", "is_active", "base_url", "front_url",
        "version", "created",
    )  # fmt: skip

    mode = columns.mode()
    shown_code = columns.number("code", _("code"))
    created = columns.moment("created_at", _("created at"))
