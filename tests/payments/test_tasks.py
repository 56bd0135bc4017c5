"""Periodic work goes on whatever happens to one row, and no lease ends behind its back."""

from datetime import timedelta

import pytest
import time_machine

from compliance.audit.actor import SYSTEM
from payments.acquiring import tasks
from payments.acquiring.models import Refund
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.acquiring.queries import get_payment
from payments.acquiring.refunds import claim_due, learn_refund, pursue
from payments.acquiring.states import PaymentState, RefundState
from payments.channels.base import Rejected
from payments.channels.registry import line
from tests import scripted
from tests.cast import choose, later, order
from tests.scripted import script_of

pytestmark = pytest.mark.django_db


def owe(shop, number: str) -> Refund:
    """Money that came after closing and is to go back."""
    payment = order(shop, number)
    attempt = choose(payment)
    message = script_of("first").message(attempt.number, at=later(30))
    close_payment(access=shop.access, payment=payment.id, at=later(20))
    receive(channel_code="first", raw=message, address="")
    return Refund.objects.get(attempt=attempt)


def stumbling(monkeypatch, call: str, number: str) -> None:
    """Make one call of the gateway raise what no gateway should, for one of our numbers."""
    honest = getattr(scripted.ScriptedGateway, call)

    def stumble(self, ask):
        if number == ask.number:
            raise RuntimeError("unforeseen")
        return honest(self, ask)

    monkeypatch.setattr(scripted.ScriptedGateway, call, stumble)


def test_a_fault_about_one_attempt_keeps_no_other_from_being_asked(tea, monkeypatch, caplog):
    bad, good = order(tea, "T1"), order(tea, "T2")
    stumbling(monkeypatch, "query", choose(bad).number)
    script_of("first").pay(choose(good, at=later(11)).number)

    with time_machine.travel(later(60), tick=False):
        assert tasks.ask_about_open_attempts() == 2

    assert get_payment(tea.access, good.id).status is PaymentState.PAID
    assert "could not be worked on" in caplog.text


def test_a_fault_about_one_payment_keeps_no_other_from_expiring(tea, monkeypatch):
    bad, good = order(tea, "T1", expires_in=60), order(tea, "T2", expires_in=61)
    stumbling(monkeypatch, "close", choose(bad).number)
    choose(good)

    with time_machine.travel(later(70), tick=False):
        assert tasks.expire_payments() == 2

    assert get_payment(tea.access, good.id).status is PaymentState.CLOSED


def test_a_fault_about_one_refund_keeps_no_other_from_going_back(tea, monkeypatch):
    bad, good = owe(tea, "T1"), owe(tea, "T2")
    stumbling(monkeypatch, "refund", bad.number)

    with time_machine.travel(later(60), tick=False):
        assert tasks.send_due_refunds() == 2

    good.refresh_from_db()
    assert good.state == RefundState.SUCCEEDED


def test_a_slow_gateway_does_not_make_two_workers_send_one_refund(tea, monkeypatch, sound):
    refunds = [owe(tea, "T1"), owe(tea, "T2"), owe(tea, "T3")]
    sent: list[str] = []
    honest = scripted.ScriptedGateway.refund

    def slow(self, ask):
        sent.append(ask.number)
        if len(sent) == 1:
            clock.shift(timedelta(seconds=61))
            tasks.send_due_refunds()  # Another worker comes by meanwhile.
        return honest(self, ask)

    monkeypatch.setattr(scripted.ScriptedGateway, "refund", slow)
    with time_machine.travel(later(60), tick=False) as clock:
        tasks.send_due_refunds()

    assert sorted(sent) == sorted(refund.number for refund in refunds)
    assert set(Refund.objects.values_list("state", flat=True)) == {RefundState.SUCCEEDED}
    sound()


def test_an_answer_that_comes_after_the_notification_changes_nothing(tea, monkeypatch, sound):
    refund = owe(tea, "T1")

    def told_meanwhile(self, ask):
        script_of("first").refunds[ask.number] = ask.amount
        reading = self.query_refund(ask).value
        learn_refund(line("first"), reading, actor=SYSTEM, at=later(61))
        return Rejected(code="SCRIPTED_NO", message="no")

    monkeypatch.setattr(scripted.ScriptedGateway, "refund", told_meanwhile)
    [claimed] = claim_due(at=later(60), limit=1)
    pursue(claimed, at=later(62))

    refund.refresh_from_db()
    assert (refund.state, refund.failure) == (RefundState.SUCCEEDED, "")
    sound()
