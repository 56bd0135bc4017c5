"""Learns what a gateway says about an attempt. Notifications, queries and closings all end here."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import new_number
from payments.acquiring.booking import Locked, Told, book_paid, book_waiting, lock_attempt
from payments.acquiring.facts import document, facts_of
from payments.acquiring.models import Attempt, Payment, Refund, Verdict
from payments.acquiring.rules import Step, ask_again_at, step_for
from payments.acquiring.states import LIVE, AttemptState
from payments.callbacks.models import EventType
from payments.callbacks.outbox import Reader, tell
from payments.channels.base import Trade, TradeState
from payments.channels.registry import Line
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, post


@dataclass(frozen=True, slots=True)
class Learned:
    """What became of the news. `reason` says what does not match."""

    verdict: Verdict
    reason: str = ""


def mismatch(locked: Locked, trade: Trade, line: Line) -> str:
    """The first thing in an authentic message that contradicts our order, or ""."""
    if locked.channel_id != line.id:
        return "channel"
    if reason := _other_party(trade, line):
        return reason
    if trade.state is TradeState.PAID:
        if trade.amount is None or trade.amount.currency != locked.amount.currency:
            return "currency"
        if trade.amount != locked.amount:
            return "amount"
    return ""


def _other_party(trade: Trade, line: Line) -> str:
    if trade.merchant and trade.merchant != line.gateway.merchant_number:
        return "merchant"
    if trade.app and trade.app != line.gateway.app_number:
        return "app"
    return ""


def book_at_once(line: Line, trade: Trade, *, told: Told, actor: Actor, at: datetime) -> bool:
    """Book the usual news: an attempt whose customer we wait for was paid in full.

    False: it is other news, and nothing was written. `learn_trade` knows every case.
    """
    if trade.state is not TradeState.PAID or trade.amount is None or _other_party(trade, line):
        return False
    return book_waiting(line, trade, trade.amount, told=told, actor=actor, now=at)


def learn_trade(
    line: Line,
    trade: Trade,
    *,
    source: str,
    actor: Actor,
    at: datetime,
    notification_id: int | None = None,
) -> Learned:
    """Take in what the gateway says about one of our orders. Runs in the caller's transaction.

    `source` is `notification`, `query`, `open` or `close`. Safe to repeat, in any order and at
    once: the payment's row lock and the table of states decide.
    """
    locked = lock_attempt(trade.number)
    if locked is None:
        return Learned(Verdict.MISMATCH, "number")
    if reason := mismatch(locked, trade, line):
        record(
            actor,
            "attempt.contradicted",
            subject=("payment", locked.payment),
            facts={"attempt": locked.number, "source": source, "differs": reason},
            at=at,
        )
        return Learned(Verdict.MISMATCH, reason)
    match step_for(locked.attempt_state, locked.payment_state, trade.state):
        case Step.BOOK:
            book_paid(locked, trade, actor=actor, notification_id=notification_id, now=at)
            return Learned(Verdict.BOOKED)
        case Step.GIVE_BACK:
            give_back(locked, trade, actor=actor, at=at)
            return Learned(Verdict.LATE)
        case Step.CLOSE:
            end_attempt(locked, AttemptState.CLOSED, actor=actor, at=at)
            return Learned(Verdict.BOOKED)
        case Step.NOTHING:
            is_known = locked.attempt_state not in LIVE
            return Learned(Verdict.ALREADY if is_known else Verdict.IGNORED)


def give_back(locked: Locked, trade: Trade, *, actor: Actor, at: datetime) -> Refund:
    """Book money that came for an attempt that was over, and owe it back in full.

    The merchant's books are not touched: between the two journals the money is in
    `refund_in_transit`. Sending the refund is a later, separate step. The caller holds both locks.
    """
    attempt = Attempt.objects.get(pk=locked.attempt_id)
    attempt.gateway_number = trade.gateway_number
    attempt.move(AttemptState.LATE, at=at)
    post(
        kind="payment.late",
        subject=locked.number,
        entries=[
            debit(AccountKind.CHANNEL_RECEIVABLE, locked.channel, locked.amount),
            credit(AccountKind.REFUND_IN_TRANSIT, locked.channel, locked.amount),
        ],
        livemode=locked.livemode,
        at=trade.paid_at or at,
    )
    public_id = new_number("ref_")
    refund = Refund.objects.create(
        public_id=public_id,
        number=public_id.replace("_", ""),
        payment_id=locked.payment_id,
        attempt=attempt,
        is_late_return=True,
        amount_minor=locked.amount.minor,
        currency=locked.amount.currency,
        reason=_("Paid after the order was closed"),
        due_at=at,
        created_at=at,
    )
    record(
        actor,
        "payment.late_success",
        subject=("payment", locked.payment),
        facts={"attempt": locked.number, "refund": public_id, "amount": locked.amount.minor},
        at=at,
    )
    close_if_wanted(locked.payment_id, actor=actor, at=at)
    return refund


def end_attempt(
    locked: Locked, to: AttemptState, *, actor: Actor, at: datetime, failure: str = ""
) -> None:
    """End an attempt that was not paid, and its payment too if that was waiting for it.

    The caller holds both locks.
    """
    attempt = Attempt.objects.get(pk=locked.attempt_id)
    attempt.failure = failure
    attempt.ask_at = ask_again_at(attempt.asked, at=at, expires_at=attempt.expires_at)
    attempt.move(to, at=at)
    record(
        actor,
        f"attempt.{to.value}",
        subject=("payment", locked.payment),
        facts={"attempt": locked.number, "failure": failure},
        at=at,
    )
    close_if_wanted(locked.payment_id, actor=actor, at=at)


def close_if_wanted(payment_id: int, *, actor: Actor, at: datetime) -> bool:
    """Close a payment whose closing was asked for, once no attempt can be paid any more.

    The caller holds the payment's lock.
    """
    payment = Payment.objects.select_related("channel", "merchant").get(pk=payment_id)
    if payment.state != "pending" or payment.close_requested_at is None:
        return False
    if payment.attempts.filter(state__in=LIVE).exists():
        return False
    payment.close(at=at)
    tell(
        Reader(
            merchant_id=payment.merchant_id,
            livemode=payment.livemode,
            url=payment.callback_url,
        ),
        EventType.PAYMENT_CLOSED,
        subject=payment.public_id,
        data=document(facts_of(payment)),
        at=at,
    )
    record(actor, "payment.closed", subject=("payment", payment.public_id), at=at)
    return True
