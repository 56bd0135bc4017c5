"""A refund as other rooms, faces and merchants see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.acquiring.models import Refund
from payments.acquiring.states import RefundState
from payments.money import Money
from payments.times import time_text

STATUS: Final = {
    RefundState.AWAITING: "awaiting_approval",
    RefundState.REQUESTED: "processing",
    RefundState.SENT: "processing",
    RefundState.SUCCEEDED: "succeeded",
    RefundState.FAILED: "failed",
    RefundState.REJECTED: "rejected",
}
"""Merchants program against these words. Sent or about to be: that is nothing to them."""
PROGRAM: Final = "api_key:"
"""Begins the doer of a refund that a program asked for."""
STATUSES: Final = tuple(dict.fromkeys(STATUS.values()))
LABELS: Final[dict[str, str | Promise]] = {
    "awaiting_approval": _("Waiting for a second person"),
    "processing": _("On its way"),
    "succeeded": _("Succeeded"),
    "failed": _("Failed"),
    "rejected": _("Refused by the second person"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """What the outside may know of a refund."""

    id: str
    payment: str
    merchant_refund_no: str
    amount: Money
    status: str
    reason: str
    requested_by: str
    released_by: str
    is_for_release: bool
    """Whether a program asked for it, and a person must let it go."""
    created_at: datetime
    finished_at: datetime | None

    @property
    def label(self) -> str | Promise:
        """The status in words."""
        return LABELS[self.status]


def refund_facts(refund: Refund) -> RefundFacts:
    """Read the facts from a row. The payment should have been selected with it."""
    return RefundFacts(
        id=refund.public_id, payment=refund.payment.public_id,
        merchant_refund_no=refund.merchant_refund_no, amount=refund.amount,
        status=STATUS[RefundState(refund.state)], reason=refund.reason,
        requested_by=refund.requested_by, released_by=refund.released_by,
        is_for_release=refund.state == RefundState.AWAITING and refund.doer.startswith(PROGRAM),
        created_at=refund.created_at, finished_at=refund.ended_at,
    )  # fmt: skip


def refund_document(facts: RefundFacts) -> dict[str, Any]:
    """The refund object of the REST interface and of callbacks."""
    return {
        "id": facts.id,
        "object": "refund",
        "payment": facts.payment,
        "merchant_refund_no": facts.merchant_refund_no,
        "amount": facts.amount.minor,
        "currency": facts.amount.currency,
        "status": facts.status,
        "reason": facts.reason,
        "created_at": time_text(facts.created_at),
        "finished_at": time_text(facts.finished_at) if facts.finished_at else None,
    }
