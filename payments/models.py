"""All models of this storey, so that Django finds them."""

from payments.acquiring.models import Attempt, IdempotencyKey, Notification, Payment, Refund
from payments.callbacks.models import Callback, CallbackTry, Event
from payments.channels.models import Channel
from payments.enrolment.models import (
    Enrolment,
    EnrolmentPicture,
    EnrolmentReason,
    EnrolmentStep,
    SubMerchant,
)
from payments.ledger.models import Account, Checkpoint, Journal, Posting
from payments.reconciliation.models import (
    Bill,
    Difference,
    FeeRate,
    LoadedLine,
    ReconciliationRun,
)

__all__ = [
    "Account", "Attempt", "Bill", "Callback", "CallbackTry", "Channel", "Checkpoint", "Difference",
    "Enrolment", "EnrolmentPicture", "EnrolmentReason", "EnrolmentStep", "Event", "FeeRate",
    "IdempotencyKey", "Journal", "LoadedLine", "Notification", "Payment", "Posting",
    "ReconciliationRun", "Refund", "SubMerchant",
]  # fmt: skip
