"""A person has the gateway asked, or closes a payment. Only the gateway's word counts."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import translation

from compliance.audit.actor import Actor
from compliance.audit.models import AuditEntry
from merchants.errors import AccessRefused
from payments.acquiring.asking import AskInvalid
from payments.acquiring.deed_words import closing_told, deed_told, heard_told
from payments.acquiring.enquiring import (
    ASK_GAP,
    AskedJustNow,
    NothingToAsk,
    ask_now,
    ask_now_by_staff,
)
from payments.acquiring.models import Attempt, Payment
from payments.acquiring.pay import AlreadyPaid, close_payment, close_payment_by_staff
from payments.acquiring.queries import PaymentUnknown
from payments.money import Money
from tests.cast import choose, later, latest_attempt, order
from tests.scripted import ScriptedGateway, script_of

pytestmark = pytest.mark.django_db(transaction=True)

WEI = Actor("user", "7", "wei", "192.0.2.7", person=7, role="operator")


def state_of(payment) -> str:
    return Payment.objects.get(public_id=payment.id).state


def entries(payment, action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action, subject_id=payment.id).order_by("pk"))


def test_a_payment_whose_message_was_lost_is_booked_when_somebody_asks(tea, sound):
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    [heard] = ask_now_by_staff(payment=payment.id, actor=WEI, at=later(60))
    assert (heard.said, heard.amount) == ("paid", Money(12800))
    assert state_of(payment) == "paid"
    with translation.override("en"):
        assert heard_told(heard) == "First says: paid, ¥128.00."
    assert [entry.actor_label for entry in entries(payment, "payment.asked")] == ["wei"]
    assert [entry.facts["said"] for entry in entries(payment, "payment.answered")] == ["paid"]
    sound()


def test_no_answer_is_unknown_and_changes_nothing(tea, sound):
    payment = order(tea)
    attempt = choose(payment)
    script_of("first").faults.append("after")
    [heard] = ask_now(access=tea.access, payment=payment.id, at=later(60))
    assert (heard.said, heard.reason) == ("unknown", "timeout")
    assert (state_of(payment), latest_attempt(payment).state) == ("pending", attempt.state)
    with translation.override("en"):
        assert "Whether it was paid is not known" in heard_told(heard)
    sound()


def test_waiting_and_closed_are_told_apart(tea):
    payment = order(tea)
    choose(payment)
    assert [one.said for one in ask_now(access=tea.access, payment=payment.id, at=later(60))] == [
        "waiting"
    ]
    close_payment(access=tea.access, payment=payment.id, at=later(70))
    [heard] = ask_now(access=tea.access, payment=payment.id, at=later(90))
    assert heard.said == "closed"


def test_a_gateway_that_names_another_amount_is_not_believed(tea, sound):
    payment = order(tea)
    script_of("first").pay(choose(payment).number, Money(1))
    [heard] = ask_now_by_staff(payment=payment.id, actor=WEI, at=later(60))
    assert heard.said == "contradicts"
    assert state_of(payment) == "pending"
    assert entries(payment, "attempt.contradicted")
    sound()


def test_money_for_a_given_up_attempt_is_found_and_goes_back(tea, sound):
    payment = order(tea)
    script_of("first").can_close = False
    first = choose(payment)
    choose(payment, "second", at=later(20))
    script_of("first").pay(first.number)
    said = {one.channel: one.said
            for one in ask_now_by_staff(payment=payment.id, actor=WEI, at=later(60))}  # fmt: skip
    assert said == {"First": "paid", "Second": "waiting"}
    assert state_of(payment) == "pending"
    assert Attempt.objects.get(pk=first.pk).state == "late"
    sound()


def test_nobody_hammers_a_gateway_with_one_payment(tea):
    payment = order(tea)
    choose(payment)
    ask_now(access=tea.access, payment=payment.id, at=later(60))
    with pytest.raises(AskedJustNow) as refusal:
        ask_now_by_staff(payment=payment.id, actor=WEI, at=later(64))
    assert refusal.value.facts["wait_seconds"] in {6, 7}
    with translation.override("en"):
        assert "(asked_just_now)" in deed_told(refusal.value)
    assert script_of("first").calls.count("query") == 1
    ask_now_by_staff(payment=payment.id, actor=WEI, at=later(60) + ASK_GAP)
    assert script_of("first").calls.count("query") == 2


def test_there_is_nobody_to_ask_before_a_method_is_picked(tea):
    payment = order(tea)
    with pytest.raises(NothingToAsk):
        ask_now(access=tea.access, payment=payment.id, at=later(60))
    assert not entries(payment, "payment.asked")


def test_anothers_payment_is_not_there(tea, books):
    payment = order(tea)
    choose(payment)
    with pytest.raises(PaymentUnknown):
        ask_now(access=books.access, payment=payment.id, at=later(60))
    assert script_of("first").calls.count("query") == 0


def test_the_network_is_asked_outside_any_transaction(tea, monkeypatch):
    payment = order(tea)
    choose(payment)
    seen = []
    real = ScriptedGateway.query

    def query(self, key):
        seen.append(transaction.get_connection().in_atomic_block)
        return real(self, key)

    monkeypatch.setattr(ScriptedGateway, "query", query)
    ask_now(access=tea.access, payment=payment.id, at=later(60))
    assert seen == [False]


def test_the_staff_close_with_a_reason_that_is_kept(tea, sound):
    payment = order(tea)
    choose(payment)
    facts = close_payment_by_staff(
        payment=payment.id, reason="The shop sold out", actor=WEI, at=later(60)
    )
    assert (facts.status, state_of(payment)) == ("closed", "closed")
    [entry] = entries(payment, "payment.close_requested")
    assert (entry.reason, entry.actor_label) == ("The shop sold out", "wei")
    sound()


def test_what_turns_out_to_be_paid_is_not_closed(tea, sound):
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    with pytest.raises(AlreadyPaid):
        close_payment_by_staff(payment=payment.id, reason="sold out", actor=WEI, at=later(60))
    assert state_of(payment) == "paid"
    sound()


def test_without_the_gateways_word_the_payment_stays_open_and_is_tried_again(tea, sound):
    payment = order(tea)
    choose(payment)
    script_of("first").faults.append("before")
    facts = close_payment_by_staff(payment=payment.id, reason="sold out", actor=WEI, at=later(60))
    assert facts.status == "pending"
    assert latest_attempt(payment).state == "closing"
    with translation.override("en"):
        assert "has not confirmed yet" in closing_told(facts.status)[1]
    again = close_payment_by_staff(
        payment=payment.id, reason="sold out", actor=WEI, at=later(60) + timedelta(seconds=30)
    )
    assert again.status == "closed"
    assert len(entries(payment, "payment.close_requested")) == 1
    sound()


@pytest.mark.parametrize("reason", ["", "x" * 201])
def test_closing_needs_a_reason(tea, reason):
    payment = order(tea)
    with pytest.raises(AskInvalid):
        close_payment_by_staff(payment=payment.id, reason=reason, actor=WEI, at=later(60))
    assert state_of(payment) == "pending"


def test_a_key_that_may_not_read_asks_nobody(tea):
    payment = order(tea)
    access = tea.access
    blind = type(access)(
        merchant_id=access.merchant_id, merchant=access.merchant, livemode=access.livemode,
        abilities=frozenset(), actor=access.actor,
    )  # fmt: skip
    with pytest.raises(AccessRefused):
        ask_now(access=blind, payment=payment.id, at=later(60))
