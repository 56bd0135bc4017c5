"""The three state machines of this room, each on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.errors import IllegalMove


class PaymentState(TextChoices):
    """What a merchant's order has come to. Merchants program against these words."""

    PENDING = "pending", _("Pending")
    PAID = "paid", _("Paid")
    CLOSED = "closed", _("Closed")


PAYMENT_MOVES: Final[dict[PaymentState, frozenset[PaymentState]]] = {
    PaymentState.PENDING: frozenset({PaymentState.PAID, PaymentState.CLOSED}),
    PaymentState.PAID: frozenset(),
    PaymentState.CLOSED: frozenset(),
}


class AttemptState(TextChoices):
    """One try on one channel."""

    CREATED = "created", pgettext_lazy("attempt", "Created")
    """Our row is committed; whether the gateway heard of it is not yet known."""
    OPEN = "open", _("Waiting for the customer")
    UNKNOWN = "unknown", _("Being confirmed")
    """The gateway gave no usable answer to `open`. It is asked again; nothing is assumed."""
    CLOSING = "closing", _("Closing")
    """We want it closed; the gateway has not confirmed yet, so it may still be paid."""
    ABANDONED = "abandoned", _("Abandoned")
    """Given up at a gateway that cannot close orders. Paid after all, it is late."""
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CLOSED = "closed", _("Closed")
    LATE = "late", _("Paid too late")
    """Paid after it was over. The money goes back in full."""


ATTEMPT_MOVES: Final[dict[AttemptState, frozenset[AttemptState]]] = {
    AttemptState.CREATED: frozenset({
        AttemptState.OPEN, AttemptState.UNKNOWN, AttemptState.CLOSING, AttemptState.SUCCEEDED,
        AttemptState.FAILED, AttemptState.CLOSED, AttemptState.LATE,
    }),
    AttemptState.OPEN: frozenset({
        AttemptState.CLOSING, AttemptState.SUCCEEDED, AttemptState.CLOSED, AttemptState.LATE,
    }),
    AttemptState.UNKNOWN: frozenset({
        AttemptState.OPEN, AttemptState.CLOSING, AttemptState.SUCCEEDED, AttemptState.FAILED,
        AttemptState.CLOSED, AttemptState.LATE,
    }),
    AttemptState.CLOSING: frozenset({
        AttemptState.ABANDONED, AttemptState.SUCCEEDED, AttemptState.CLOSED, AttemptState.LATE,
    }),
    AttemptState.ABANDONED: frozenset({AttemptState.CLOSED, AttemptState.LATE}),
    AttemptState.SUCCEEDED: frozenset(),
    AttemptState.FAILED: frozenset({AttemptState.LATE}),
    AttemptState.CLOSED: frozenset({AttemptState.LATE}),
    AttemptState.LATE: frozenset(),
}  # fmt: skip

LIVE: Final = frozenset({
    AttemptState.CREATED, AttemptState.OPEN, AttemptState.UNKNOWN, AttemptState.CLOSING,
})  # fmt: skip
"""States in which the customer may still pay. A payment has at most one attempt in them."""

OVER: Final = frozenset({AttemptState.ABANDONED, AttemptState.FAILED, AttemptState.CLOSED})
"""States after which a success is late."""

ASKED: Final = LIVE | {AttemptState.ABANDONED}
"""States in which the gateway is asked from time to time."""


class RefundState(TextChoices):
    """Money on its way back to a payer."""

    AWAITING = "awaiting", _("Waiting for a second person")
    """Asked for by a merchant or the staff, above what one may give back alone."""
    REQUESTED = "requested", _("Requested")
    SENT = "sent", _("Sent to the channel")
    """The gateway has, or may have, heard of it. Only its answer ends this state."""
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    REJECTED = "rejected", _("Refused by the second person")


REFUND_MOVES: Final[dict[RefundState, frozenset[RefundState]]] = {
    RefundState.AWAITING: frozenset({RefundState.REQUESTED, RefundState.REJECTED}),
    RefundState.REQUESTED: frozenset({RefundState.SENT}),
    RefundState.SENT: frozenset({RefundState.SUCCEEDED, RefundState.FAILED}),
    RefundState.SUCCEEDED: frozenset(),
    RefundState.FAILED: frozenset(),
    RefundState.REJECTED: frozenset(),
}

REFUNDS_UNDER_WAY: Final = frozenset({
    RefundState.AWAITING, RefundState.REQUESTED, RefundState.SENT,
})  # fmt: skip
"""States in which a refund holds money back from its merchant."""


def require_payment_move(old: PaymentState, new: PaymentState) -> None:
    """Raise IllegalMove unless the table allows it."""
    if new not in PAYMENT_MOVES[old]:
        raise IllegalMove(machine="payment", old=str(old), new=str(new))


def require_attempt_move(old: AttemptState, new: AttemptState) -> None:
    """Raise IllegalMove unless the table allows it."""
    if new not in ATTEMPT_MOVES[old]:
        raise IllegalMove(machine="attempt", old=str(old), new=str(new))


def require_refund_move(old: RefundState, new: RefundState) -> None:
    """Raise IllegalMove unless the table allows it."""
    if new not in REFUND_MOVES[old]:
        raise IllegalMove(machine="refund", old=str(old), new=str(new))
