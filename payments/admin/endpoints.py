"""Endpoints of merchants: where they are told, and how it goes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.audit.actor import Actor
from payments.admin import columns, tones
from payments.admin.deeds import DeedAdmin
from payments.callbacks.models import Endpoint
from payments.callbacks.states import EndpointState
from payments.callbacks.switching import disable_endpoint_by_staff


@admin.register(Endpoint)
class EndpointAdmin(DeedAdmin):
    """Its secrets are shown to nobody. Staff can switch it off; its owner switches it on."""

    list_display = ("shown_number", "label", "shop", "result", "url", "failing", "created")
    list_filter = ("state",)
    list_select_related = ("merchant",)
    list_defer = ("secret_sealed", "secret_before_sealed")
    search_fields = ("public_id", "merchant__public_id")
    search_help_text = _("An exact number: endpoint or merchant (mch_…)")
    public_field = "public_id"
    fields = (
        "shown_number", "label", "shop", "result", "changed", "url", "event_types", "modes",
        "is_fallback", "failing", "paused", "created", "created_by",
    )  # fmt: skip
    deed = "disable"
    deed_label = _("Switch the endpoint off")
    deed_done = _("Nothing is sent there any more. Its owner can switch it on again.")

    shown_number = columns.number("public_id", _("number"))
    result = columns.badge("state", _("state"), tones.ENDPOINT)
    changed = columns.moment("state_at", _("since"))
    failing = columns.moment("failing_since", _("failing since"))
    paused = columns.moment("paused_until", _("paused until"))
    created = columns.moment("created_at", _("created at"))

    @admin.display(description=_("merchant"))
    def shop(self, endpoint: Endpoint) -> str:
        """The merchant's short name."""
        return endpoint.merchant.shown_name

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Pages show the merchant."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("merchant")

    def is_open(self, row: Any) -> bool:
        """Only what is on can be switched off."""
        return bool(row.state == EndpointState.ACTIVE)

    def do(self, row: Any, *, reason: str, actor: Actor) -> None:
        """Switch it off."""
        disable_endpoint_by_staff(endpoint_id=row.pk, reason=reason, actor=actor, at=timezone.now())
