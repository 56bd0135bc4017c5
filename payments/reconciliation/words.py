"""The refusals of this room in words."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from payments.errors import Refusal
from payments.reconciliation.errors import ReconciliationRefused

TOLD: Final = {
    "not_open": _("This difference is over already."),
    "not_suited": _("This resolution does not suit this difference."),
    "claim_missing": _("Write down the gateway's number for it."),
    "nothing_moves": _("There is no amount to book. Choose another resolution."),
    "not_theirs": _("That person may not work on differences."),
    "no_bills": _("This channel's gateway makes no bills."),
    "day_not_over": _("That day is not over yet."),
    "not_booked": _("The bill's line does not fit the payment. Look at the payment first."),
    "busy": _("Somebody is working on this day. Try again in half an hour."),
}


def refusal_told(refusal: Exception) -> str:
    """Why not, and what to do."""
    problem = refusal.problem if isinstance(refusal, ReconciliationRefused) else ""
    if problem in TOLD:
        return str(TOLD[problem])
    return refusal.code if isinstance(refusal, Refusal) else str(refusal)
