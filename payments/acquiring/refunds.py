"""Sends refunds to gateways and learns what became of them.

A refund keeps one number for life. Whatever is not a final answer leaves it `sent`; asking again,
or sending again with the same number, can never give the money back twice.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import SYSTEM, Actor
from payments.acquiring.attempts import key_of, notify_url
from payments.acquiring.ended_refunds import book_sent, give_up, succeed
from payments.acquiring.models import Refund, Verdict
from payments.acquiring.outcomes import Learned
from payments.acquiring.refund_approving import lock_refund
from payments.acquiring.rules import ask_again_at
from payments.acquiring.states import RefundState
from payments.channels.base import Done, Outcome, RefundAsk, RefundReading, Rejected, Unknown
from payments.channels.base import RefundState as ReadState
from payments.channels.registry import Line, line
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
            .select_related("attempt__channel", "payment__merchant")
            .filter(state__in=[RefundState.REQUESTED, RefundState.SENT], due_at__lte=at)
            .order_by("due_at")[:limit]
        )
        for refund in due:
            refund.due_at = at + LEASE
            if refund.state == RefundState.REQUESTED:
                refund.move(RefundState.SENT, at=at)
                book_sent(refund, at=at)
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
        row = lock_refund(refund.public_id)
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
                give_up(row, RefundState.FAILED, actor=SYSTEM, at=at)
            case Rejected(code=reason) | Unknown(reason=reason):
                row.failure = reason[:64]
                row.save(update_fields=["asked", "due_at", "failure"])
    return outcome


def learn_refund(channel: Line, reading: RefundReading, *, actor: Actor, at: datetime) -> Learned:
    """Take in what the gateway says about one of our refunds. Runs in the caller's transaction."""
    found = Refund.objects.filter(number=reading.number).values_list("public_id", flat=True)
    public_id = found.first()
    if public_id is None:
        return Learned(Verdict.MISMATCH, "number")
    refund = lock_refund(public_id)
    if reason := _mismatch(refund, reading, channel):
        return Learned(Verdict.MISMATCH, reason)
    if refund.state != RefundState.SENT:
        return Learned(Verdict.ALREADY)
    match reading.state:
        case ReadState.SUCCEEDED:
            succeed(refund, actor=actor, at=reading.finished_at or at, now=at)
        case ReadState.FAILED:
            give_up(refund, RefundState.FAILED, actor=actor, at=at)
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
