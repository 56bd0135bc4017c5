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

__all__ = [
    "Account", "Attempt", "Callback", "CallbackTry", "Channel", "Checkpoint",
    "Enrolment", "EnrolmentPicture", "EnrolmentReason", "EnrolmentStep", "Event",
    "IdempotencyKey", "Journal", "Notification", "Payment", "Posting", "Refund", "SubMerchant",
]  # fmt: skip
