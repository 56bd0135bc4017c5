"""How often each periodic job runs, in seconds."""

from collections.abc import Mapping
from typing import Final

EVERY: Final[Mapping[str, float]] = {
    "compliance.seal_audit": 5.0,
    "compliance.stamp_audit": 300.0,
    "compliance.expire_requests": 60.0,
    "compliance.send_letters": 5.0,
    "compliance.scan_waiting_files": 60.0,
    "compliance.go_on_erasing": 30.0,
    "compliance.make_reports": 5.0,
    "compliance.sweep_vault": 86400.0,
    "compliance.forget_what_is_old": 3600.0,
    "merchants.go_on_screening": 30.0,
    "merchants.watch_terms": 3600.0,
    "merchants.forget_ticket_links": 3600.0,
    "merchants.watch_key_ends": 3600.0,
    "merchants.tell_of_tickets": 600.0,
    "payments.deliver_due_callbacks": 1.0,
    "payments.ask_about_open_attempts": 5.0,
    "payments.expire_payments": 10.0,
    "payments.send_due_refunds": 5.0,
    "payments.give_up_unreleased_refunds": 60.0,
    "payments.pursue_enrolments": 15.0,
    "payments.checkpoint_balances": 3600.0,
    "payments.forget_idempotency_keys": 600.0,
    "payments.begin_reconciliations": 900.0,
    "payments.go_on_reconciling": 60.0,
    "payments.watch_certificates": 3600.0,
}
