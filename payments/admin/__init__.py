"""The staff's pages of this storey, to read: lists that stay quick, and a payment's whole story."""

from payments.admin import (
    attempts,
    callbacks,
    channels,
    enrolments,
    journals,
    notifications,
    payments,
    refunds,
)

__all__ = [
    "attempts", "callbacks", "channels", "enrolments", "journals", "notifications", "payments",
    "refunds",
]  # fmt: skip
