"""The life of a request on one screen: it waits, and then it is over for good."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class ApprovalState(TextChoices):
    """What became of a request."""

    PENDING = "pending", pgettext_lazy("request", "Waiting")
    EXECUTED = "executed", pgettext_lazy("request", "Executed")
    REJECTED = "rejected", pgettext_lazy("request", "Rejected")
    CANCELLED = "cancelled", pgettext_lazy("request", "Cancelled")
    EXPIRED = "expired", pgettext_lazy("request", "Expired")
    STALE = "stale", pgettext_lazy("request", "Overtaken by a change")
    VOID = "void", pgettext_lazy("request", "Void")
    """The maker may no longer ask for it, or the stored request was tampered with."""


ENDED: Final = frozenset(state for state in ApprovalState if state != ApprovalState.PENDING)

APPROVAL_MOVES: Final[Mapping[ApprovalState, frozenset[ApprovalState]]] = {
    ApprovalState.PENDING: ENDED,
    **{state: frozenset() for state in ENDED},
}
