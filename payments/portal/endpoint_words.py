"""Endpoints, and the refusals about them, in words and colours for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from payments.callbacks.models import TEST, Endpoint, EventType
from payments.callbacks.states import EndpointState
from payments.errors import Refusal

ENDPOINT_TONES: Final = {
    EndpointState.ACTIVE: "ok",
    EndpointState.DISABLED: "neutral",
    EndpointState.GONE: "bad",
    EndpointState.FAILED: "bad",
    EndpointState.REMOVED: "neutral",
}


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint, ready to show."""

    endpoint: Endpoint
    state: str
    tone: str
    types: Sequence[str]
    has_own_secret: bool

    @property
    def is_active(self) -> bool:
        """Whether events are sent there."""
        return self.endpoint.state == EndpointState.ACTIVE


def endpoint_row(endpoint: Endpoint) -> EndpointRow:
    """Put an endpoint into words."""
    state = EndpointState(endpoint.state)
    is_troubled = state is EndpointState.ACTIVE and endpoint.failing_since is not None
    return EndpointRow(
        endpoint,
        _("Active, fails") if is_troubled else str(state.label),
        "warn" if is_troubled else ENDPOINT_TONES[state],
        [type_label(one) for one in endpoint.event_types],
        endpoint.secret_sealed is not None,
    )


def type_label(kind: str) -> str:
    """An event's type in words."""
    return _("Test") if kind == TEST else str(EventType(kind).label)


def refusal_words(refusal: Refusal) -> str:
    """What happened and what to do, with the code for support."""
    code = str(refusal.facts.get("why") or refusal.code)
    texts = {
        "callback_not_found": _("There is no such callback."),
        "endpoint_off": _("The endpoint is switched off, or this was a test. Nothing was sent."),
        "illegal_move": _("The endpoint is not in the state that you think. Look at it again."),
        "label_malformed": _("Name the endpoint in at most 64 characters."),
        "span_invalid": _("Choose a span of at most 31 days."),
        "test_too_soon": _("Wait a few seconds before the next test."),
        "too_many_endpoints": _("There are ten endpoints already. Remove one first."),
        "too_many_to_resend": _("More than 1000 events lie in this span. Choose a shorter one."),
        "type_unknown": _("There is no such type of event."),
        "url_malformed": _("This is not a complete address."),
        "url_not_https": _("The address must begin with https://."),
    }
    return f"{texts.get(code) or _('This cannot be done now.')} ({code})"
