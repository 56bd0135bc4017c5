"""States of the addresses that merchants name, and every move between them."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.errors import IllegalMove


class EndpointState(TextChoices):
    """Whether events are sent to an endpoint."""

    ACTIVE = "active", pgettext_lazy("endpoint", "Active")
    DISABLED = "disabled", pgettext_lazy("endpoint", "Switched off")
    GONE = "gone", _("Off: it answered that it is gone")
    FAILED = "failed", _("Off: it failed for days")
    REMOVED = "removed", pgettext_lazy("endpoint", "Removed")


class EndpointModes(TextChoices):
    """Which payments an endpoint hears of."""

    ALL = "all", _("Test and live")
    TEST = "test", _("Test only")
    LIVE = "live", _("Live only")


ENDPOINT_MOVES: Final = {
    EndpointState.ACTIVE: {
        EndpointState.DISABLED, EndpointState.GONE, EndpointState.FAILED, EndpointState.REMOVED,
    },
    EndpointState.DISABLED: {EndpointState.ACTIVE, EndpointState.REMOVED},
    EndpointState.GONE: {EndpointState.ACTIVE, EndpointState.REMOVED},
    EndpointState.FAILED: {EndpointState.ACTIVE, EndpointState.REMOVED},
    EndpointState.REMOVED: set(),
}  # fmt: skip


def require_endpoint_move(before: EndpointState, to: EndpointState) -> None:
    """Raise IllegalMove unless the table has the move."""
    if to not in ENDPOINT_MOVES[before]:
        raise IllegalMove(before=before.value, after=to.value)
