"""Sends refunds to gateways and learns what became of them.

A refund keeps one number for life. Whatever is not a final answer leaves it `sent`; asking again,
or sending again with the same number, can never give the money back twice.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.trail import record
from payments.acquiring.attempts import key_of, notify_url
from payments.acquiring.models import Refund, Verdict
from payments.acquiring.outcomes import Learned
from payments.acquiring.rules import ask_again_at
from payments.acquiring.states import RefundState
from payments.channels.base import Done, Outcome, RefundAsk, RefundReading, Rejected, Unknown
from payments.channels.base import RefundState as ReadState
from payments.channels.registry import Line, line
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, post
from payments.steps import step

LEASE: Final = timedelta(seconds=180)
"""Longer than the three calls that one refund may take, each with its time-outs."""


def ask_of(refund: Refund) -> RefundAsk:
    """The refund as the gateway is asked for it: equal at every repeat."""
    return RefundAsk(
        number=refund.number,
        order=key_of(refund.attempt),
        paid=refund.attempt.amount,
        amount=refund.amount,
        reason=refund.reason,
        created_at=refund.created_at.replace(microsecond=0),
        notify_url=notify_url(refund.attempt.channel.code),
    )


def claim_due(*, at: datetime, limit: int) -> list[Refund]:
    """Take due refunds. Each stays ours only by its `due_at`, so claim no more than can be worked
    on within the lease; nothing is locked after.
    """
    with transaction.atomic():
        due = list(
            Refund.objects.select_for_update(skip_locked=True, of=["self"])
            .select_related("attempt__channel", "payment")
            .filter(state__in=[RefundState.REQUESTED, RefundState.SENT], due_at__lte=at)
            .order_by("due_at")[:limit]
        )
        for refund in due:
            refund.due_at = at + LEASE
            if refund.state == RefundState.REQUESTED:
                refund.move(RefundState.SENT, at=at)
            else:
                refund.save(update_fields=["due_at"])
        return due


def pursue(refund: Refund, *, at: datetime) -> Outcome[RefundReading]:
    """Send a refund, or ask about one that was sent before, and take in the answer.

    The caller has claimed it. Asking comes first whenever it may have been sent; only when the
    gateway certainly does not know it is it sent again, under the same number.
    """
    channel = line(refund.attempt.channel.code)
    ask = ask_of(refund)
    outcome: Outcome[RefundReading]
    step("refund.sending")
    if refund.asked == 0:
        outcome = channel.gateway.refund(ask)
    else:
        outcome = channel.gateway.query_refund(ask)
        if isinstance(outcome, Rejected):
            outcome = channel.gateway.refund(ask)
    step("refund.answered")
    with transaction.atomic():
        row = Refund.objects.select_for_update().get(pk=refund.pk)
        row.asked += 1
        if row.state != RefundState.SENT:
            row.save(update_fields=["asked"])
            return outcome  # A notification was faster than the answer.
        row.due_at = ask_again_at(row.asked, at=at)
        match outcome:
            case Done(reading):
                row.save(update_fields=["asked", "due_at"])
                learn_refund(channel, reading, actor=SYSTEM, at=at)
            case Rejected(code=code, is_our_fault=False):
                row.failure = code[:64]
                _fail(row, actor=SYSTEM, at=at)
            case Rejected(code=reason) | Unknown(reason=reason):
                row.failure = reason[:64]
                row.save(update_fields=["asked", "due_at", "failure"])
    return outcome


def learn_refund(channel: Line, reading: RefundReading, *, actor: Actor, at: datetime) -> Learned:
    """Take in what the gateway says about one of our refunds. Runs in the caller's transaction."""
    refund = (
        Refund.objects.select_for_update(of=["self"])
        .select_related("attempt__channel", "payment__merchant")
        .filter(number=reading.number)
        .first()
    )
    if refund is None:
        return Learned(Verdict.MISMATCH, "number")
    if reason := _mismatch(refund, reading, channel):
        return Learned(Verdict.MISMATCH, reason)
    if refund.state != RefundState.SENT:
        return Learned(Verdict.ALREADY)
    match reading.state:
        case ReadState.SUCCEEDED:
            _succeed(refund, actor=actor, at=reading.finished_at or at, now=at)
        case ReadState.FAILED:
            _fail(refund, actor=actor, at=at)
        case ReadState.PROCESSING:
            return Learned(Verdict.IGNORED)
    return Learned(Verdict.BOOKED)


def _mismatch(refund: Refund, reading: RefundReading, channel: Line) -> str:
    """The first thing in an authentic message that contradicts our refund, or ""."""
    if refund.attempt.channel_id != channel.id:
        return "channel"
    if reading.merchant and reading.merchant != channel.gateway.merchant_number:
        return "merchant"
    if reading.amount is not None and reading.amount != refund.amount:
        return "amount"
    return ""


def _succeed(refund: Refund, *, actor: Actor, at: datetime, now: datetime) -> None:
    """Book that the money went back. The caller holds the row's lock."""
    refund.failure = ""
    refund.move(RefundState.SUCCEEDED, at=at)
    code = refund.attempt.channel.code
    post(
        kind="refund.late_returned",
        subject=refund.public_id,
        entries=[
            debit(AccountKind.REFUND_IN_TRANSIT, code, refund.amount),
            credit(AccountKind.CHANNEL_RECEIVABLE, code, refund.amount),
        ],
        livemode=refund.payment.livemode,
        at=at,
    )
    record(
        actor,
        "refund.succeeded",
        subject=("payment", refund.payment.public_id),
        facts={"refund": refund.public_id, "amount": refund.amount_minor},
        at=now,
    )


def _fail(refund: Refund, *, actor: Actor, at: datetime) -> None:
    """The gateway says that the money will not go back. It stays in transit until a person
    decides.
    """
    refund.move(RefundState.FAILED, at=at)
    record(
        actor,
        "refund.failed",
        subject=("payment", refund.payment.public_id),
        facts={"refund": refund.public_id, "failure": refund.failure},
        at=at,
    )
