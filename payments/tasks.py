"""All tasks of this storey, so that Celery finds them."""

from payments.acquiring.tasks import (
    ask_about_open_attempts,
    expire_payments,
    forget_idempotency_keys,
    send_due_refunds,
)
from payments.callbacks.tasks import deliver_due_callbacks
from payments.channels.tasks import watch_channel_certificates
from payments.enrolment.tasks import pursue_enrolments
from payments.ledger.tasks import checkpoint_balances
from payments.reconciliation.tasks import begin_reconciliations, go_on_reconciling

__all__ = [
    "ask_about_open_attempts", "begin_reconciliations", "checkpoint_balances",
    "deliver_due_callbacks", "expire_payments", "forget_idempotency_keys", "go_on_reconciling",
    "pursue_enrolments", "send_due_refunds", "watch_channel_certificates",
]  # fmt: skip
