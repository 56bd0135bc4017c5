"""A customer pays: the order is paid once, the books say so, and the merchant is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from merchants.accounts.register import resume_merchant, suspend_merchant
from merchants.errors import AccessRefused
from payments.acquiring.asking import PaymentAsk
from payments.acquiring.attempts import MethodUnavailable, PaymentNotPayable, PreviousUnresolved
from payments.acquiring.models import Attempt, Payment, Verdict
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment, create_payment
from payments.acquiring.queries import PaymentUnknown, find_checkout, get_payment
from payments.acquiring.repeats import forget_old_keys
from payments.acquiring.states import AttemptState, PaymentState
from payments.acquiring.tokens import TokenForged, checkout_token, payment_of
from payments.callbacks.models import Callback, Event
from payments.channels.base import QrCode
from payments.ledger.balances import balance, checkpoint
from payments.ledger.models import AccountKind, Journal
from payments.models import Notification
from payments.money import Money
from tests.cast import NOON, choose, later, latest_attempt, order
from tests.scripted import script_of

pytestmark = pytest.mark.django_db


def owed(shop) -> Money:
    return -balance(AccountKind.MERCHANT_PAYABLE, shop.merchant.public_id, "CNY", livemode=False)


def test_from_order_to_paid(tea, sound):
    payment = order(tea)
    attempt = choose(payment)
    shown = find_checkout(token=checkout_token(payment.id), at=later(11))
    assert shown.attempt is not None
    assert isinstance(shown.attempt.presentation, QrCode)

    gateway = script_of("first")
    gateway.pay(attempt.number)
    reply = receive(channel_code="first", raw=gateway.message(attempt.number), address="192.0.2.1")

    assert reply.body == b"ok"
    paid = get_payment(tea.access, payment.id)
    assert paid.status is PaymentState.PAID
    assert (paid.method, paid.channel) == ("first", "first")
    assert paid.channel_trade_no == f"G{attempt.number}"
    assert owed(tea) == Money(12800)
    assert balance(AccountKind.CHANNEL_RECEIVABLE, "first", "CNY", livemode=False) == Money(12800)
    event = Event.objects.get()
    assert event.type == "payment.paid"
    assert event.data["status"] == "paid"
    assert event.data["id"] == payment.id
    assert Callback.objects.get().url == "https://tea.example/callbacks"
    assert Notification.objects.get().verdict == Verdict.BOOKED
    sound()


def test_the_orders_own_callback_address_wins(tea):
    payment = order(tea, callback_url="https://tea.example/orders/1")
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    assert Callback.objects.get().url == "https://tea.example/orders/1"


def test_picking_the_same_method_again_keeps_the_attempt(tea):
    payment = order(tea)
    first = choose(payment)
    again = choose(payment, at=later(20))
    assert again == first
    assert script_of("first").calls == ["open"]


def test_picking_another_method_closes_the_first_at_its_gateway(tea):
    payment = order(tea)
    first = choose(payment)
    second = choose(payment, "second", at=later(30))
    first.refresh_from_db()
    assert first.state == AttemptState.CLOSED
    assert script_of("first").calls == ["open", "close"]
    assert second.state == AttemptState.OPEN


def test_a_customer_who_paid_just_before_switching_is_not_asked_twice(tea, sound):
    payment = order(tea)
    first = choose(payment)
    script_of("first").pay(first.number)
    with pytest.raises(PaymentNotPayable):
        choose(payment, "second", at=later(30))
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID
    assert Attempt.objects.count() == 1
    sound()


def test_no_switch_while_the_gateway_does_not_say_that_the_first_is_closed(tea):
    payment = order(tea)
    first = choose(payment)
    script_of("first").faults.append("before")
    with pytest.raises(PreviousUnresolved):
        choose(payment, "second", at=later(30))
    first.refresh_from_db()
    assert first.state == AttemptState.CLOSING
    choose(payment, "second", at=later(60))
    first.refresh_from_db()
    assert first.state == AttemptState.CLOSED


def test_a_gateway_that_cannot_close_does_not_hold_the_customer(tea):
    payment = order(tea)
    script_of("first").can_close = False
    first = choose(payment)
    second = choose(payment, "second", at=later(30))
    first.refresh_from_db()
    assert first.state == AttemptState.ABANDONED
    assert second.state == AttemptState.OPEN


def test_a_refused_attempt_says_so_and_another_may_follow(tea):
    payment = order(tea)
    script_of("first").faults.append("reject")
    attempt = choose(payment)
    assert (attempt.state, attempt.failure) == (AttemptState.FAILED, "SCRIPTED_NO")
    assert choose(payment, at=later(20)).state == AttemptState.OPEN


def test_only_what_merchant_and_platform_offer_can_be_picked(tea):
    payment = order(tea, methods=("second",))
    with pytest.raises(MethodUnavailable):
        choose(payment, "first")
    with pytest.raises(MethodUnavailable):
        choose(payment, "gold")
    assert Attempt.objects.count() == 0


def test_an_expired_payment_takes_no_attempt(tea):
    payment = order(tea, expires_in=60)
    with pytest.raises(PaymentNotPayable):
        choose(payment, at=later(61))
    assert find_checkout(token=checkout_token(payment.id), at=later(61)).is_expired


@pytest.mark.parametrize("change", [lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
                                    lambda t: "x" + t, lambda t: t[22:], lambda t: "",
                                    lambda t: t + "0", lambda t: "付" * 40])  # fmt: skip
def test_a_forged_token_opens_nothing(tea, change):
    token = checkout_token(order(tea).id)
    assert payment_of(token)
    with pytest.raises(TokenForged):
        find_checkout(token=change(token), at=NOON)


def test_another_merchants_payment_does_not_exist(tea, books):
    payment = order(tea)
    with pytest.raises(PaymentUnknown) as theirs:
        get_payment(books.access, payment.id)
    with pytest.raises(PaymentUnknown) as nobodys:
        get_payment(books.access, "pay_nothing")
    assert theirs.value.code == nobodys.value.code


def test_a_checkpoint_changes_no_balance(tea, sound):
    for number in range(3):
        payment = order(tea, f"T{number}")
        attempt = choose(payment)
        script_of("first").pay(attempt.number)
        receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
        assert owed(tea) == Money(12800 * (number + 1))
        assert checkpoint() == 2
        assert checkpoint() == 0
        assert owed(tea) == Money(12800 * (number + 1))
    sound()


def test_the_way_back_to_the_shop_tells_what_happened_and_keeps_its_own_query(tea):
    payment = order(tea, return_url="https://tea.example/done?basket=7")
    shown = find_checkout(token=checkout_token(payment.id), at=NOON)
    assert shown.return_url == (
        f"https://tea.example/done?basket=7&payment_id={payment.id}"
        "&merchant_order_no=T1&status=pending"
    )


def test_the_one_statement_writes_every_row_of_the_booking(tea):
    payment = order(tea)
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    row = Payment.objects.get()
    journal = Journal.objects.get()
    assert (journal.kind, journal.subject, journal.at) == (
        "payment.paid",
        row.public_id,
        row.paid_at,
    )
    assert sorted(journal.postings.values_list("account__kind", "amount_minor")) == [
        ("channel_receivable", 12800),
        ("merchant_payable", -12800),
    ]
    done = latest_attempt(payment)
    assert (done.state, done.ask_at, done.ended_at is not None) == ("succeeded", None, True)
    assert done.gateway_number == row.channel_trade_no


def test_an_idempotency_key_is_forgotten_after_a_week_and_the_order_number_still_guards(tea):
    first = order(tea, key="k")
    assert forget_old_keys(at=timezone.now() + timedelta(days=6), limit=10) == 0
    assert forget_old_keys(at=timezone.now() + timedelta(days=8), limit=10) == 1
    assert order(tea, key="k").id == first.id


def test_a_key_that_may_only_write_can_repeat_and_close_what_it_created(tea):
    writer = replace(tea.access, abilities=frozenset({"payments.write"}))
    ask = PaymentAsk(merchant_order_no="W1", amount=Money(1), subject="tea")
    made = create_payment(access=writer, ask=ask, idempotency_key="w", at=NOON)
    again = create_payment(access=writer, ask=ask, idempotency_key="w", at=NOON)
    assert again.payment.id == made.payment.id
    assert close_payment(access=writer, payment=made.payment.id, at=NOON).status == "closed"
    with pytest.raises(AccessRefused):
        get_payment(writer, made.payment.id)


def test_a_suspended_merchants_customers_begin_nothing_until_it_is_resumed(tea):
    payment = order(tea)
    told = {"merchant_id": tea.merchant.pk, "reason": "fraud", "actor": SYSTEM, "at": NOON}
    suspend_merchant(**told)
    with pytest.raises(PaymentNotPayable):
        choose(payment)
    assert not Attempt.objects.exists()
    resume_merchant(**told)
    assert choose(payment).state == AttemptState.OPEN


def test_what_was_begun_before_a_suspension_is_still_booked(tea, sound):
    payment = order(tea)
    attempt = choose(payment)
    suspend_merchant(merchant_id=tea.merchant.pk, reason="fraud", actor=SYSTEM, at=NOON)
    script_of("first").pay(attempt.number)
    raw = script_of("first").message(attempt.number)
    assert receive(channel_code="first", raw=raw, address="").status == 200
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID
    sound()
