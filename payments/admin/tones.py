"""The colour of each state. The word carries the meaning; the colour repeats it."""

from typing import Final

from payments.acquiring.models import Verdict
from payments.acquiring.states import AttemptState, PaymentState, RefundState
from payments.callbacks.models import CallbackState
from payments.callbacks.states import EndpointState
from payments.reconciliation.states import DifferenceState, Found, RunState

PAYMENT: Final = {PaymentState.PENDING: "warn", PaymentState.PAID: "ok"}
ATTEMPT: Final = {
    AttemptState.OPEN: "info",
    AttemptState.CREATED: "info",
    AttemptState.UNKNOWN: "warn",
    AttemptState.CLOSING: "info",
    AttemptState.ABANDONED: "warn",
    AttemptState.SUCCEEDED: "ok",
    AttemptState.FAILED: "bad",
    AttemptState.LATE: "warn",
}
REFUND: Final = {
    RefundState.AWAITING: "warn",
    RefundState.REQUESTED: "info",
    RefundState.SENT: "info",
    RefundState.SUCCEEDED: "ok",
    RefundState.FAILED: "bad",
    RefundState.REJECTED: "bad",
}
VERDICT: Final = {
    Verdict.RECEIVED: "warn",
    Verdict.BOOKED: "ok",
    Verdict.LATE: "warn",
    Verdict.REFUSED: "bad",
    Verdict.MISMATCH: "bad",
}
CALLBACK: Final = {
    CallbackState.PENDING: "warn",
    CallbackState.DELIVERED: "ok",
    CallbackState.GIVEN_UP: "bad",
}
RUN: Final[dict[str, str]] = {
    RunState.WAITING: "info",
    RunState.REFUSED: "bad",
    RunState.MISSING: "bad",
    RunState.MATCHED: "ok",
}
DIFFERENCE: Final[dict[str, str]] = {
    DifferenceState.OPEN: "warn",
    DifferenceState.RESOLVED: "ok",
    DifferenceState.EXPLAINED: "neutral",
}
FOUND: Final[dict[str, str]] = {Found.DAY_SHIFT: "neutral", Found.FEE: "warn"}
ENDPOINT: Final = {
    EndpointState.ACTIVE: "ok",
    EndpointState.GONE: "bad",
    EndpointState.FAILED: "bad",
}
