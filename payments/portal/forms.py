"""What people type on the portal's pages of this storey."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from payments.callbacks.endpoints import (
    ADDRESS_CHARACTERS_MAX,
    LABEL_CHARACTERS_MAX,
    EndpointWish,
)
from payments.callbacks.models import Endpoint, EventType
from payments.callbacks.resending import Span
from payments.callbacks.states import EndpointModes

MOMENT: Final = "%Y-%m-%dT%H:%M"


class EndpointForm(forms.Form):
    """An endpoint to be, or to be changed."""

    label = forms.CharField(
        label=_("What is behind this address?"), max_length=LABEL_CHARACTERS_MAX,
        help_text=_("For example: shop, bookkeeping."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    url = forms.CharField(
        label=_("Address"), max_length=ADDRESS_CHARACTERS_MAX,
        help_text=_("https, reachable from the internet. We post events to it."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )  # fmt: skip
    event_types = forms.MultipleChoiceField(
        label=_("Only these events"), choices=EventType.choices, required=False,
        help_text=_("Choose none to be told everything, new kinds of events as well."),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    modes = forms.ChoiceField(label=_("Which payments?"), choices=EndpointModes.choices)
    is_fallback = forms.BooleanField(
        label=_("Not for payments that name an address of their own"), required=False
    )

    def wish(self) -> EndpointWish:
        """What was typed, for the verbs. The form must be valid."""
        said = self.cleaned_data
        return EndpointWish(
            label=said["label"], url=said["url"], event_types=said["event_types"],
            modes=EndpointModes(said["modes"]), is_fallback=said["is_fallback"],
        )  # fmt: skip

    @staticmethod
    def said_of(endpoint: Endpoint) -> dict[str, Any]:
        """What an endpoint is now, as the form begins."""
        return {
            "label": endpoint.label, "url": endpoint.url, "event_types": endpoint.event_types,
            "modes": endpoint.modes, "is_fallback": endpoint.is_fallback,
        }  # fmt: skip


class SpanForm(forms.Form):
    """A span of time to be sent again."""

    since = forms.DateTimeField(
        label=_("From"), input_formats=[MOMENT],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )  # fmt: skip
    until = forms.DateTimeField(
        label=_("Until"), input_formats=[MOMENT],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )  # fmt: skip
    which = forms.ChoiceField(
        label=_("Which events?"),
        choices=[("missed", _("Those not delivered")), ("all", _("All of them"))],
    )

    def clean(self) -> dict[str, Any]:
        """A span must not end before it begins."""
        said: dict[str, Any] = super().clean() or {}
        since, until = said.get("since"), said.get("until")
        if isinstance(since, datetime) and isinstance(until, datetime) and until <= since:
            self.add_error("until", _now("The end must be after the beginning."))
        return said

    def span(self) -> Span:
        """What was typed, for the verbs. The form must be valid."""
        said = self.cleaned_data
        return Span(since=said["since"], until=said["until"], only_missed=said["which"] == "missed")
