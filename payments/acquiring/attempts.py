"""Opens an attempt when a customer picks a method, and closes it before another is opened.

No network call is made while a row is locked: intent is committed, the gateway is called, what it
said is written. A process may die between any two of these; the janitor finishes what it left.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import new_number
from merchants.accounts.states import STOPPED
from payments.acquiring.booking import lock_attempt
from payments.acquiring.models import Attempt, Payment
from payments.acquiring.outcomes import end_attempt, learn_trade
from payments.acquiring.presenting import from_row, to_row
from payments.acquiring.rules import ask_again_at
from payments.acquiring.states import ASKED, LIVE, AttemptState, PaymentState
from payments.acquiring.tokens import checkout_url, payment_of
from payments.channels.base import (
    Device,
    Done,
    Order,
    OrderKey,
    Outcome,
    Presentation,
    QrCode,
    Rejected,
    Trade,
    TradeState,
    Unknown,
)
from payments.channels.registry import forget, line, methods
from payments.errors import Refusal
from payments.routing.choose import Choice
from payments.routing.health import claim_trial, listen
from payments.routing.queries import is_working, route
from payments.steps import step

CHANNELS_MAX: Final = 3
"""So many channels are tried for one press of the button; the customer waits meanwhile."""
ASK_NOW_SECONDS: Final = 3
"""A customer's page may make us ask the gateway at most this often."""


class PaymentNotPayable(Refusal):
    """The payment is paid, closed, expired or being closed, or its merchant is suspended."""

    code = "payment_not_payable"


class MethodUnavailable(Refusal):
    """The merchant or the platform does not offer this method here and now."""

    code = "method_unavailable"


class PreviousUnresolved(Refusal):
    """The gateway has not confirmed that the previous attempt is closed; it might still be paid."""

    code = "previous_attempt_unresolved"


def choose_method(*, token: str, method: str, device: Device, client_ip: str, at: datetime) -> None:
    """The customer picks a method: open an attempt, or keep the one that is still good.

    An attempt on another method is closed at its gateway first. Raises TokenForged,
    PaymentNotPayable, MethodUnavailable, PreviousUnresolved. A gateway's refusal is no exception:
    the attempt is `failed` and the page says so.
    """
    public_id = payment_of(token)
    actor = Actor(kind="customer", id="", label="customer", address=client_ip)
    reuse = _before_opening(public_id, method, device, actor=actor, at=at)
    if reuse is not None:
        if not reuse.presentation:
            _open_at_gateway(reuse, actor=actor, at=at)
        return
    tried: frozenset[str] = frozenset()
    for _try in range(CHANNELS_MAX):
        attempt = create_attempt(public_id, method, device, actor=actor, at=at, tried=tried)
        step("attempt.created")
        outcome = _open_at_gateway(attempt, actor=actor, at=at)
        tried |= {attempt.channel.code}
        if not _falls_to_next(attempt, outcome, tried, actor=actor, at=at):
            return


def _falls_to_next(
    attempt: Attempt, outcome: Outcome[Presentation], tried: frozenset[str], *,
    actor: Actor, at: datetime,
) -> bool:  # fmt: skip
    """Whether another channel should be tried: only when nothing happened at this one for certain,
    by no fault of the customer's, and another can serve.
    """
    match outcome:
        case Rejected(is_our_fault=True) | Unknown(was_sent=False):
            pass
        case _:
            return False
    payment = attempt.payment
    if _route(payment, attempt.method, tried=tried, at=at).channel is None:
        return False
    if isinstance(outcome, Unknown):
        with transaction.atomic():
            locked = lock_attempt(attempt.number)
            if locked is None or locked.attempt_state is not AttemptState.UNKNOWN:
                return False
            failure = outcome.reason[:64]
            end_attempt(locked, AttemptState.FAILED, actor=actor, at=at, failure=failure)
    return True


def _before_opening(
    public_id: str, method: str, device: Device, *, actor: Actor, at: datetime
) -> Attempt | None:
    """The live attempt when it can serve this choice. Otherwise close it, so that another may
    open.
    """
    with transaction.atomic():
        payment = _lock_payable(public_id, at=at)
        _require_offered(payment, method, at=at)
        live = payment.attempts.select_related("channel").filter(state__in=LIVE).first()
        if live is None:
            return None
        product = methods()[method][1].products[device]
        if (live.method, live.product) == (method, product) and _is_good(live, at=at):
            return live
    outcome = close_live_attempt(payment=public_id, actor=actor, at=at)
    if outcome is not None:
        raise PreviousUnresolved(method=live.method)
    return None


def _is_good(attempt: Attempt, *, at: datetime) -> bool:
    if attempt.state == AttemptState.CLOSING:
        return False
    shown = from_row(attempt.presentation)
    return not isinstance(shown, QrCode) or shown.expires_at > at


def _lock_payable(public_id: str, *, at: datetime) -> Payment:
    payment = (
        Payment.objects.select_for_update(of=["self"])
        .select_related("merchant")
        .filter(public_id=public_id)
        .first()
    )
    if payment is None or payment.merchant.status in STOPPED:
        raise PaymentNotPayable(payment=public_id)
    is_over = payment.expires_at <= at or payment.close_requested_at is not None
    if payment.state != PaymentState.PENDING or is_over:
        raise PaymentNotPayable(payment=public_id)
    return payment


def _require_offered(payment: Payment, method: str, *, at: datetime) -> Choice:
    if payment.methods and method not in payment.methods:
        raise MethodUnavailable(method=method)
    choice = _route(payment, method, at=at)
    if choice.channel is None:
        raise MethodUnavailable(method=method, reason=choice.reason)
    return choice


def _route(
    payment: Payment, method: str, *, at: datetime, tried: frozenset[str] = frozenset()
) -> Choice:
    return route(
        method=method, livemode=payment.livemode, amount_minor=payment.amount_minor,
        merchant=payment.merchant.public_id, at=at, tried=tried,
    )  # fmt: skip


def _take_channel(payment: Payment, method: str, *, at: datetime, tried: frozenset[str]) -> Choice:
    """The choice, made sure of: a switch in another process counts at once, and only one attempt
    tries a channel that had failed.
    """
    _require_offered(payment, method, at=at)
    for _try in range(CHANNELS_MAX):
        choice = _route(payment, method, at=at, tried=tried)
        channel = choice.channel
        if channel is None:
            raise MethodUnavailable(method=method, reason=choice.reason)
        if is_working(channel.id) and not (channel.is_trial and not claim_trial(channel.id, at=at)):
            return choice
        forget()
    raise MethodUnavailable(method=method)


def create_attempt(
    public_id: str, method: str, device: Device, *, actor: Actor, at: datetime,
    tried: frozenset[str] = frozenset(),
) -> Attempt:  # fmt: skip
    """Commit the intent to open an attempt. Nothing was said to the gateway yet.

    Raises PaymentNotPayable, MethodUnavailable, and PreviousUnresolved while another is live.
    """
    with transaction.atomic():
        payment = _lock_payable(public_id, at=at)
        live = payment.attempts.filter(state__in=LIVE).first()
        if live is not None:
            raise PreviousUnresolved(method=live.method)
        choice = _take_channel(payment, method, at=at, tried=tried)
        channel = choice.channel
        if channel is None:
            raise MethodUnavailable(method=method)
        attempt = Attempt.objects.create(
            number=new_number("att"),
            payment=payment,
            channel_id=channel.id,
            method=method,
            product=methods()[method][1].products[device],
            device=device,
            choice=choice.to_json(),
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            client_ip=actor.address or None,
            created_at=at.replace(microsecond=0),
            expires_at=payment.expires_at,
            ask_at=ask_again_at(0, at=at),
        )
        record(
            actor,
            "attempt.created",
            subject=("payment", public_id),
            facts={"attempt": attempt.number, "method": method, "channel": channel.code},
            at=at,
        )
        return attempt


def order_of(attempt: Attempt) -> Order:
    """The order as the gateway is asked for it: equal at every repeat."""
    payment = attempt.payment
    return Order(
        number=attempt.number,
        product=attempt.product,
        amount=attempt.amount,
        subject=payment.subject,
        reference=payment.public_id,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        notify_url=notify_url(attempt.channel.code),
        return_url=f"{checkout_url(payment.public_id)}return",
        client_ip=attempt.client_ip or "127.0.0.1",
        device=Device(attempt.device),
    )


def notify_url(channel_code: str) -> str:
    """Where a channel's gateway sends its notifications."""
    return f"{settings.BASE_URL}/notify/{channel_code}/"


def key_of(attempt: Attempt) -> OrderKey:
    """What the gateway needs to know which order we mean."""
    return OrderKey(
        number=attempt.number,
        product=attempt.product,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        gateway_number=attempt.gateway_number,
    )


def _open_at_gateway(attempt: Attempt, *, actor: Actor, at: datetime) -> Outcome[Presentation]:
    channel = line(attempt.channel.code)
    outcome = channel.gateway.open(order_of(attempt))
    step("attempt.answered")
    was_trial = bool(attempt.choice and attempt.choice.get("is_trial"))
    listen(attempt.channel_id, outcome, at=at, was_closed=not was_trial)
    take_in_opening(attempt, outcome, actor=actor, at=at)
    step("attempt.opened")
    return outcome


def take_in_opening(
    attempt: Attempt, outcome: Outcome[Presentation], *, actor: Actor, at: datetime
) -> None:
    """Write what the gateway answered to `open`, unless the attempt has moved on meanwhile."""
    with transaction.atomic():
        locked = lock_attempt(attempt.number)
        if locked is None or locked.attempt_state not in {
            AttemptState.CREATED,
            AttemptState.UNKNOWN,
        }:
            return  # A notification, or a close, was faster than the answer.
        match outcome:
            case Done(value):
                _write_opened(locked.attempt_id, value, at=at)
            case Rejected(code=code):
                end_attempt(locked, AttemptState.FAILED, actor=actor, at=at, failure=code[:64])
            case Unknown(reason=reason):
                _write_unknown(locked.attempt_id, reason, at=at)


def _write_opened(attempt_id: int, presentation: Presentation, *, at: datetime) -> None:
    attempt = Attempt.objects.get(pk=attempt_id)
    attempt.presentation, attempt.failure = to_row(presentation), ""
    attempt.ask_at = ask_again_at(attempt.asked, at=at, expires_at=attempt.expires_at)
    attempt.move(AttemptState.OPEN, at=at)


def _write_unknown(attempt_id: int, reason: str, *, at: datetime) -> None:
    attempt = Attempt.objects.get(pk=attempt_id)
    attempt.failure = reason[:64]
    attempt.ask_at = ask_again_at(attempt.asked, at=at, expires_at=attempt.expires_at)
    if attempt.state == AttemptState.UNKNOWN:
        attempt.save(update_fields=["failure", "ask_at"])
    else:
        attempt.move(AttemptState.UNKNOWN, at=at)


def close_live_attempt(*, payment: str, actor: Actor, at: datetime) -> Unknown | Rejected | None:
    """Close a payment's live attempt at its gateway, if it has one.

    None: nothing can be paid any more, or it just was. Otherwise the gateway's non-answer: the
    attempt stays `closing` and the janitor goes on.
    """
    with transaction.atomic():
        row = Payment.objects.select_for_update().get(public_id=payment)
        attempt = row.attempts.select_related("channel").filter(state__in=LIVE).first()
        if attempt is None:
            return None
        if attempt.state != AttemptState.CLOSING:
            attempt.ask_at = ask_again_at(0, at=at)
            attempt.move(AttemptState.CLOSING, at=at)
    step("attempt.closing")
    gateway = line(attempt.channel.code).gateway
    outcome = _ask(attempt, gateway.close, source="close", actor=actor, at=at)
    if not isinstance(outcome, Done):
        return outcome
    if outcome.value.state is TradeState.WAITING:
        _abandon(attempt.number, actor=actor, at=at)
    return None


def _abandon(number: str, *, actor: Actor, at: datetime) -> None:
    """The gateway has no way to close: stop waiting. Should it be paid yet, the money goes back."""
    with transaction.atomic():
        locked = lock_attempt(number)
        if locked is not None and locked.attempt_state is AttemptState.CLOSING:
            end_attempt(locked, AttemptState.ABANDONED, actor=actor, at=at)


def ask_about(attempt: Attempt, *, actor: Actor, at: datetime) -> Outcome[Trade]:
    """Ask the gateway where the order stands and take in what it says."""
    gateway = line(attempt.channel.code).gateway
    return _ask(attempt, gateway.query, source="query", actor=actor, at=at)


def _ask(
    attempt: Attempt,
    call: Callable[[OrderKey], Outcome[Trade]],
    *,
    source: str,
    actor: Actor,
    at: datetime,
) -> Outcome[Trade]:
    outcome = call(key_of(attempt))
    step("attempt.close_answered" if source == "close" else "query.answered")
    listen(attempt.channel_id, outcome, at=at)
    if isinstance(outcome, Done):
        with transaction.atomic():
            learn_trade(
                line(attempt.channel.code), outcome.value, source=source, actor=actor, at=at
            )
    return outcome


def ask_gateway(*, token: str, at: datetime) -> None:
    """Ask about the newest attempt now, because its customer came back. At most every few seconds.

    Also when it was given up: it may be the one that was paid.
    """
    public_id = payment_of(token)
    with transaction.atomic():
        attempt = (
            Attempt.objects.select_for_update(of=["self"], skip_locked=True)
            .select_related("channel")
            .filter(payment__public_id=public_id, state__in=ASKED)
            .order_by("-pk")
            .first()
        )
        if attempt is None:
            return
        soonest = (attempt.asked_at or attempt.created_at) + timedelta(seconds=ASK_NOW_SECONDS)
        if attempt.asked_at is not None and soonest > at:
            return
        attempt.asked_at = at
        attempt.save(update_fields=["asked_at"])
    ask_about(attempt, actor=Actor(kind="customer", id="", label="customer"), at=at)
