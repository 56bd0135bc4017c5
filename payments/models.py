"""All models of this storey, so that Django finds them."""

from payments.acquiring.models import Attempt, IdempotencyKey, Notification, Payment, Refund
from payments.callbacks.models import Callback, CallbackTry, Endpoint, Event
from payments.channels.models import Channel, ChannelActivation, ChannelSecret, ChannelVersion
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
from payments.routing.models import ChannelHealth

__all__ = [
    "Account", "Attempt", "Bill", "Callback", "CallbackTry", "Channel", "ChannelActivation",
    "ChannelHealth", "ChannelSecret", "ChannelVersion", "Checkpoint", "Difference",
    "Endpoint", "Enrolment", "EnrolmentPicture", "EnrolmentReason", "EnrolmentStep", "Event",
    "FeeRate", "IdempotencyKey", "Journal", "LoadedLine", "Notification", "Payment", "Posting",
    "ReconciliationRun", "Refund", "SubMerchant",
]  # fmt: skip
