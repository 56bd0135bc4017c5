"""How a refund ends: in the books, for its payment, and for the merchant who is told."""

from datetime import datetime
from typing import Final

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from payments.acquiring.models import Refund
from payments.acquiring.refund_facts import refund_document, refund_facts
from payments.acquiring.states import RefundState
from payments.callbacks.models import EventType
from payments.callbacks.outbox import Reader, tell
from payments.ledger.models import AccountKind
from payments.ledger.posting import Entry, credit, debit, post

_JOURNALS: Final = {
    RefundState.SUCCEEDED: "refund.succeeded",
    RefundState.FAILED: "refund.failed",
    RefundState.REJECTED: "refund.rejected",
}


def book_sent(refund: Refund, *, at: datetime) -> None:
    """The money leaves what is held back: the gateway may hear of it now. The caller holds the
    refund's lock.
    """
    if refund.is_late_return:
        return  # Money that was never the merchant's has been in transit since it came.
    owner, code = refund.payment.merchant.public_id, refund.attempt.channel.code
    _post(
        "refund.sent", refund,
        [
            debit(AccountKind.MERCHANT_RESERVED, owner, refund.amount),
            credit(AccountKind.REFUND_IN_TRANSIT, code, refund.amount),
        ],
        at=at,
    )  # fmt: skip


def succeed(refund: Refund, *, actor: Actor, at: datetime, now: datetime) -> None:
    """Book that the money went back. The caller holds the locks of the payment and the refund."""
    refund.failure = ""
    refund.move(RefundState.SUCCEEDED, at=at)
    code = refund.attempt.channel.code
    _post(
        "refund.late_returned" if refund.is_late_return else _JOURNALS[RefundState.SUCCEEDED],
        refund,
        [
            debit(AccountKind.REFUND_IN_TRANSIT, code, refund.amount),
            credit(AccountKind.CHANNEL_RECEIVABLE, code, refund.amount),
        ],
        at=at,
    )
    _end(refund, refunded=refund.amount_minor, actor=actor, now=now)


def give_up(
    refund: Refund, to: RefundState, *, actor: Actor, at: datetime, reason: str = ""
) -> None:
    """The money does not go back: the gateway said so (failed), or a person (rejected). What was
    held back is the merchant's again. The caller holds the locks of the payment and the refund.

    Late money that a gateway does not take back stays in transit until a person decides.
    """
    before = RefundState(refund.state)
    refund.move(to, at=at)
    if not refund.is_late_return:
        owner, code = refund.payment.merchant.public_id, refund.attempt.channel.code
        held = (
            debit(AccountKind.REFUND_IN_TRANSIT, code, refund.amount)
            if before is RefundState.SENT
            else debit(AccountKind.MERCHANT_RESERVED, owner, refund.amount)
        )
        back = credit(AccountKind.MERCHANT_PAYABLE, owner, refund.amount)
        _post(_JOURNALS[to], refund, [held, back], at=at)
    _end(refund, refunded=0, actor=actor, now=at, reason=reason)


def _post(kind: str, refund: Refund, entries: list[Entry], *, at: datetime) -> None:
    post(
        kind=kind, subject=refund.public_id, entries=entries, livemode=refund.payment.livemode,
        at=at,
    )  # fmt: skip


def _end(refund: Refund, *, refunded: int, actor: Actor, now: datetime, reason: str = "") -> None:
    """What every end has in common: the payment's sums, the merchant who is told, the trail."""
    payment = refund.payment
    if not refund.is_late_return:
        payment.refresh_from_db(fields=["refunded_minor", "refunding_minor"])
        payment.refunding_minor -= refund.amount_minor
        payment.refunded_minor += refunded
        payment.save(update_fields=["refunding_minor", "refunded_minor"])
        tell(
            Reader(
                merchant_id=payment.merchant_id, livemode=payment.livemode,
                url=payment.callback_url,
            ),
            EventType.REFUND_SUCCEEDED if refunded else EventType.REFUND_FAILED,
            subject=refund.public_id, data=refund_document(refund_facts(refund)), at=now,
        )  # fmt: skip
    record(
        actor, f"refund.{refund.state}", subject=("payment", payment.public_id),
        facts={
            "refund": refund.public_id, "amount": refund.amount_minor, "failure": refund.failure,
        },
        reason=reason, at=now,
    )  # fmt: skip
