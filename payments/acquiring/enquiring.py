"""Asking a gateway about one payment now, because a person wants to know. Nothing is assumed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from merchants.access import MerchantAccess, require
from payments.acquiring.attempts import ask_about
from payments.acquiring.models import Attempt, Payment
from payments.acquiring.queries import PaymentUnknown, own_payment
from payments.acquiring.states import ASKED, AttemptState
from payments.channels.base import Done, Outcome, Rejected, Trade, TradeState, Unknown
from payments.errors import Refusal
from payments.money import Money

ASK_GAP: Final = timedelta(seconds=10)
"""A gateway is asked about one payment no more often, whoever asks."""
ATTEMPTS_MAX: Final = 3
"""So many attempts of one payment are asked about at once: somebody waits for the answers."""

Said = Literal["paid", "waiting", "closed", "refused", "unknown", "contradicts"]


class NothingToAsk(Refusal):
    """No customer has picked a method yet, so no gateway knows of the payment."""

    code = "nothing_to_ask"


class AskedJustNow(Refusal):
    """The gateway was asked about this payment seconds ago; `wait_seconds` are left."""

    code = "asked_just_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a gateway said about one attempt.

    `contradicts`: it says paid, but what it says does not match our order, and nothing was booked.
    `reason` is the gateway's code, or our word for why nothing is known.
    """

    attempt: str
    channel: str
    said: Said
    amount: Money | None = None
    reason: str = ""


def ask_now(*, access: MerchantAccess, payment: str, at: datetime) -> Sequence[Heard]:
    """Ask for a merchant's person.

    Raises AccessRefused, PaymentUnknown, NothingToAsk, AskedJustNow. Called outside any
    transaction: the network is asked between two of them.
    """
    require(access, "payments.read")
    own_payment(access, payment)
    return _ask(payment, actor=access.actor, at=at)


def ask_now_by_staff(*, payment: str, actor: Actor, at: datetime) -> Sequence[Heard]:
    """The same for the staff; the caller has looked at the person's role."""
    return _ask(payment, actor=actor, at=at)


def _ask(payment: str, *, actor: Actor, at: datetime) -> Sequence[Heard]:
    return [_heard(one, ask_about(one, actor=actor, at=at), actor=actor, at=at)
            for one in _claim(payment, actor=actor, at=at)]  # fmt: skip


@transaction.atomic
def _claim(payment: str, *, actor: Actor, at: datetime) -> Sequence[Attempt]:
    """Write down that we ask, and about which attempts: the open ones, or else the last one."""
    row = Payment.objects.select_for_update().filter(public_id=payment).first()
    if row is None:
        raise PaymentUnknown(payment=payment)
    attempts = (
        row.attempts.select_for_update(of=["self"])
        .select_related("channel", "payment")
        .order_by("-pk")
    )
    chosen = list(attempts.filter(state__in=ASKED)[:ATTEMPTS_MAX])
    # One that is over is asked about too: the gateway's word settles a customer's doubt.
    chosen = chosen or list(attempts.filter(state=AttemptState.SUCCEEDED)) or list(attempts[:1])
    if not chosen:
        raise NothingToAsk(payment=payment)
    last = max((one.asked_at for one in chosen if one.asked_at is not None), default=None)
    if last is not None and last + ASK_GAP > at:
        raise AskedJustNow(wait_seconds=int((last + ASK_GAP - at).total_seconds()) + 1)
    for one in chosen:
        one.asked_at = at
        one.save(update_fields=["asked_at"])
    record(
        actor, "payment.asked", subject=("payment", payment),
        facts={"attempts": " ".join(one.number for one in chosen)}, at=at,
    )  # fmt: skip
    return chosen


@transaction.atomic
def _heard(asked: Attempt, outcome: Outcome[Trade], *, actor: Actor, at: datetime) -> Heard:
    heard = Heard(
        attempt=asked.number, channel=asked.channel.name, said=_said(asked, outcome),
        amount=outcome.value.amount if isinstance(outcome, Done) else None,
        reason=_reason(outcome),
    )  # fmt: skip
    record(
        actor, "payment.answered", subject=("payment", asked.payment.public_id),
        facts={"attempt": heard.attempt, "said": heard.said, "reason": heard.reason}, at=at,
    )  # fmt: skip
    return heard


def _said(asked: Attempt, outcome: Outcome[Trade]) -> Said:
    match outcome:
        case Rejected():
            return "refused"
        case Unknown():
            return "unknown"
        case Done(value=trade) if trade.state is TradeState.PAID:
            now = AttemptState(Attempt.objects.values_list("state", flat=True).get(pk=asked.pk))
            return "paid" if now in {AttemptState.SUCCEEDED, AttemptState.LATE} else "contradicts"
        case Done(value=trade):
            return "closed" if trade.state is TradeState.CLOSED else "waiting"


def _reason(outcome: Outcome[Trade]) -> str:
    match outcome:
        case Rejected(code=code):
            return code[:64]
        case Unknown(reason=reason):
            return reason[:64]
        case Done():
            return ""
