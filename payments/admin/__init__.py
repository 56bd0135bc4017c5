"""The staff's pages of this storey, to read: lists that stay quick, and a payment's whole story."""

from payments.admin import (
    attempts,
    callbacks,
    channels,
    differences,
    endpoints,
    enrolments,
    fee_rates,
    journals,
    notifications,
    payments,
    reconciliations,
    refunds,
)

__all__ = [
    "attempts", "callbacks", "channels", "differences", "endpoints", "enrolments", "fee_rates",
    "journals", "notifications", "payments", "reconciliations", "refunds",
]  # fmt: skip
