"""A gateway that does not answer has not refused: nothing is assumed, nothing is doubled."""

from itertools import pairwise

import pytest

from payments.acquiring.attempts import ask_gateway
from payments.acquiring.janitor import claim_to_ask, expire, expired, look_after
from payments.acquiring.models import Refund
from payments.acquiring.notifications import receive
from payments.acquiring.pay import AlreadyPaid, close_payment
from payments.acquiring.queries import get_payment
from payments.acquiring.refunds import claim_due, pursue
from payments.acquiring.states import AttemptState, PaymentState, RefundState
from payments.acquiring.tokens import checkout_token
from payments.callbacks.models import Event
from payments.ledger.balances import balance
from payments.ledger.models import AccountKind
from payments.money import Money
from tests.cast import choose, later, order
from tests.scripted import script_of

pytestmark = pytest.mark.django_db


def tidy(seconds: float) -> None:
    """One round of the janitor, at so many seconds after noon."""
    for attempt in claim_to_ask(at=later(seconds), limit=10):
        look_after(attempt, at=later(seconds))


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_time_out_at_opening_is_unknown_and_the_same_number_is_tried_again(tea, fault):
    payment = order(tea)
    gateway = script_of("first")
    gateway.faults.append(fault)
    attempt = choose(payment)
    assert (attempt.state, attempt.failure) == (AttemptState.UNKNOWN, "timeout")

    again = choose(payment, at=later(20))

    assert again == attempt
    assert again.state == AttemptState.OPEN
    assert list(gateway.orders) == [attempt.number]


def test_money_that_moved_behind_a_time_out_is_found_by_asking(tea, sound):
    payment = order(tea)
    script_of("first").faults.append("after")
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    tidy(15)
    assert get_payment(tea.access, payment.id).status is PaymentState.PENDING, "not due yet"
    tidy(60)
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID
    sound()


def test_a_lost_notification_is_made_good_by_the_janitor(tea, sound):
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    tidy(30)
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID
    sound()


def test_the_gateway_is_asked_at_growing_intervals(tea):
    attempt = choose(order(tea))
    waits = []
    for _ in range(4):
        attempt.refresh_from_db()
        assert attempt.ask_at is not None
        due = (attempt.ask_at - later(0)).total_seconds()
        waits.append(due)
        tidy(due)
    gaps = [b - a for a, b in pairwise(waits)]
    assert gaps == sorted(gaps)
    assert len(set(gaps)) > 1


def test_a_customer_coming_back_makes_us_ask_but_not_too_often(tea):
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    ask_gateway(token=checkout_token(payment.id), at=later(12))
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID

    other = order(tea, "T2")
    choose(other)
    for second in (12, 13, 14):
        ask_gateway(token=checkout_token(other.id), at=later(second))
    assert script_of("first").calls.count("query") == 2


def test_an_expired_payment_is_closed_at_the_gateway_first(tea, sound):
    payment = order(tea, expires_in=60)
    attempt = choose(payment)
    assert expired(at=later(59), limit=10) == []
    assert expired(at=later(60), limit=10) == [payment.id]
    expire(payment.id, at=later(60))
    assert script_of("first").calls == ["open", "close"]
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.CLOSED
    assert get_payment(tea.access, payment.id).status is PaymentState.CLOSED
    assert Event.objects.get().type == "payment.closed"
    sound()


def test_expiry_that_finds_it_paid_books_it(tea, sound):
    payment = order(tea, expires_in=60)
    script_of("first").pay(choose(payment).number)
    expire(payment.id, at=later(61))
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID
    sound()


@pytest.mark.parametrize("fault", ["before", "after"])
def test_closing_without_an_answer_waits_for_the_gateways_word(tea, fault, sound):
    payment = order(tea)
    choose(payment)
    script_of("first").faults.append(fault)
    assert close_payment(access=tea.access, payment=payment.id, at=later(60)).status == "pending"
    tidy(90)
    assert get_payment(tea.access, payment.id).status is PaymentState.CLOSED
    sound()


def test_a_payment_nobody_tried_is_closed_at_once(tea, sound):
    payment = order(tea)
    assert close_payment(access=tea.access, payment=payment.id, at=later(5)).status == "closed"
    assert close_payment(access=tea.access, payment=payment.id, at=later(6)).status == "closed"
    assert Event.objects.count() == 1
    sound()


def test_a_paid_payment_cannot_be_closed(tea):
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    with pytest.raises(AlreadyPaid):
        close_payment(access=tea.access, payment=payment.id, at=later(60))


@pytest.fixture
def late(tea):
    """A payment closed by its merchant, and paid all the same."""
    payment = order(tea)
    attempt = choose(payment)
    message = script_of("first").message(attempt.number)
    close_payment(access=tea.access, payment=payment.id, at=later(60))
    receive(channel_code="first", raw=message, address="")
    refund = Refund.objects.get()
    Refund.objects.update(due_at=later(70))
    return payment, refund


def pursue_at(seconds: float) -> None:
    for refund in claim_due(at=later(seconds), limit=10):
        pursue(refund, at=later(seconds))


def in_transit() -> Money:
    return balance(AccountKind.REFUND_IN_TRANSIT, "first", "CNY", livemode=False)


def test_late_money_goes_back_and_the_books_come_to_zero(tea, late, sound):
    _, refund = late
    assert in_transit() == Money(-12800)
    pursue_at(70)
    refund.refresh_from_db()
    assert refund.state == RefundState.SUCCEEDED
    assert in_transit() == Money(0)
    assert balance(AccountKind.CHANNEL_RECEIVABLE, "first", "CNY", livemode=False) == Money(0)
    sound()


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_refund_without_an_answer_is_asked_about_and_never_doubled(tea, late, fault, sound):
    _, refund = late
    gateway = script_of("first")
    gateway.faults.append(fault)
    pursue_at(70)
    refund.refresh_from_db()
    assert (refund.state, refund.failure) == (RefundState.SENT, "timeout")
    pursue_at(100)
    refund.refresh_from_db()
    assert refund.state == RefundState.SUCCEEDED
    assert gateway.refunds == {refund.number: Money(12800)}
    sound()


def test_a_refund_claimed_by_one_worker_is_not_claimed_by_another(tea, late):
    assert len(claim_due(at=later(70), limit=10)) == 1
    assert claim_due(at=later(71), limit=10) == []
    assert len(claim_due(at=later(251), limit=10)) == 1


def test_a_refused_refund_stays_visible_in_transit(tea, late, sound):
    _, refund = late
    script_of("first").faults.append("reject")
    pursue_at(70)
    refund.refresh_from_db()
    assert (refund.state, refund.failure) == (RefundState.FAILED, "SCRIPTED_NO")
    assert in_transit() == Money(-12800)
    sound()
