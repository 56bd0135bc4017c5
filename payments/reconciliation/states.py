"""The state machines of this room, and the words for what it finds."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.errors import IllegalMove


class RunState(TextChoices):
    """Where a channel's day stands."""

    WAITING = "waiting", _("Waiting for the bill")
    REFUSED = "refused", _("The bill cannot be believed")
    MISSING = "missing", _("No bill by the deadline")
    MATCHED = "matched", pgettext_lazy("run", "Matched")


RUN_MOVES: Final[dict[RunState, frozenset[RunState]]] = {
    RunState.WAITING: frozenset({RunState.REFUSED, RunState.MISSING, RunState.MATCHED}),
    RunState.REFUSED: frozenset({RunState.REFUSED, RunState.MISSING, RunState.MATCHED}),
    RunState.MISSING: frozenset({RunState.MISSING, RunState.REFUSED, RunState.MATCHED}),
    RunState.MATCHED: frozenset({RunState.MATCHED}),
}
"""A matched day stays matched: a later bill that cannot be believed changes nothing."""


class DifferenceState(TextChoices):
    """Where a difference stands."""

    OPEN = "open", pgettext_lazy("difference", "Open")
    RESOLVED = "resolved", pgettext_lazy("difference", "Resolved by people")
    EXPLAINED = "explained", pgettext_lazy("difference", "Explained by itself")


DIFFERENCE_MOVES: Final[dict[DifferenceState, frozenset[DifferenceState]]] = {
    DifferenceState.OPEN: frozenset({DifferenceState.RESOLVED, DifferenceState.EXPLAINED}),
    DifferenceState.RESOLVED: frozenset({DifferenceState.EXPLAINED}),
    DifferenceState.EXPLAINED: frozenset({DifferenceState.OPEN}),
}
"""Whatever explained a difference can be taken back, by a later bill; then it is open again."""


class Found(TextChoices):
    """What kind of difference it is."""

    ONLY_OURS = "only_ours", _("Only in our books")
    ONLY_THEIRS = "only_theirs", _("Only in the bill")
    AMOUNT = "amount", _("Another amount")
    FEE = "fee", _("Another fee")
    STATUS = "status", _("Another state")
    DUPLICATE = "duplicate", _("Twice in the bills")
    DAY_SHIFT = "day_shift", _("On another day")
    NO_BILL = "no_bill", _("No usable bill")


class Subject(TextChoices):
    """What a difference is about."""

    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    DISPUTE = "dispute", _("Dispute")
    BILL = "bill", _("Bill")


class Ending(TextChoices):
    """What ended a difference: a resolution, or the other side."""

    SUSPENSE = "suspense", _("Booked as not yet explained")
    WRITE_OFF = "write_off", _("Fee written off")
    TIMING = "timing", _("Accepted as timing")
    GATEWAY_ERROR = "gateway_error", _("The gateway's error, claimed")
    REFUND_RECORDED = "refund_recorded", _("Goes back to the payer")
    BOOK_PAYMENT = "book_payment", _("Booked on the gateway's word")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged, no money moves")
    SHIFTED = "shifted", _("Stands in another day's bill")
    GONE = "gone", _("Both sides agree now")


RESOLUTIONS: Final[dict[Ending, frozenset[Found]]] = {
    Ending.SUSPENSE: frozenset({
        Found.ONLY_OURS, Found.ONLY_THEIRS, Found.AMOUNT, Found.STATUS, Found.DUPLICATE,
    }),
    Ending.WRITE_OFF: frozenset({Found.FEE}),
    Ending.TIMING: frozenset({Found.ONLY_OURS, Found.ONLY_THEIRS, Found.STATUS}),
    Ending.GATEWAY_ERROR: frozenset({
        Found.ONLY_OURS, Found.ONLY_THEIRS, Found.AMOUNT, Found.FEE, Found.STATUS, Found.DUPLICATE,
    }),
    Ending.REFUND_RECORDED: frozenset({Found.DUPLICATE, Found.ONLY_THEIRS}),
    Ending.BOOK_PAYMENT: frozenset({Found.STATUS}),
    Ending.ACKNOWLEDGED: frozenset({Found.NO_BILL}),
}  # fmt: skip
"""Which resolutions suit which differences."""


def require_run_move(old: RunState, new: RunState) -> None:
    """Raise IllegalMove unless the table allows it."""
    if new not in RUN_MOVES[old]:
        raise IllegalMove(machine="reconciliation", old=str(old), new=str(new))


def require_difference_move(old: DifferenceState, new: DifferenceState) -> None:
    """Raise IllegalMove unless the table allows it."""
    if new not in DIFFERENCE_MOVES[old]:
        raise IllegalMove(machine="difference", old=str(old), new=str(new))
