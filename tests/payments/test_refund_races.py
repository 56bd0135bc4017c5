"""Refunds at once, from the API, the portal and the admin: never more goes back than was paid."""

import pytest

from compliance.audit.actor import SYSTEM, Actor
from merchants.access import by_member
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from payments.acquiring.models import Payment, Refund
from payments.acquiring.refunding import request_refund_by_staff
from payments.acquiring.refunds import claim_due, pursue
from tests.cast import NOON, later
from tests.compliance.people import hire
from tests.payments.test_refunding import held, paid, refund
from tests.racing import at_once
from tests.scripted import script_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_program_a_person_and_the_staff_refund_one_payment(tea, sound):
    payment = paid(tea)
    mei = hire("mei").user
    add_member(merchant_id=tea.merchant.pk, user=mei, role=Role.OWNER, actor=SYSTEM, at=NOON)
    access = by_member(mei, None, address="198.51.100.7")
    gao = hire("gao", roles=["operator"]).user
    office = Actor("user", str(gao.pk), "gao", "198.51.100.9", person=gao.pk)

    outcomes = at_once([
        lambda: refund(tea, payment, 6400, "R1"),
        lambda: refund(tea, payment, 6400, "R2", access=access, by=mei),
        lambda: request_refund_by_staff(
            payment=payment.public_id, amount_minor=6400, reason="phone", by=gao, actor=office,
            at=later(100),
        ),
    ])  # fmt: skip

    assert outcomes == ["done", "done", "refund_exceeds_payment"]
    payment.refresh_from_db()
    assert (payment.refunding_minor, held(tea)) == (12800, (0, 12800))
    sound()


def test_one_number_sent_many_times_at_once_is_one_refund(tea, sound):
    payment = paid(tea)
    outcomes = at_once([lambda: refund(tea, payment, 100, "R1") for _ in range(6)])
    assert outcomes == ["done"] * 6
    assert Refund.objects.count() == 1
    sound()


def test_refunds_of_two_payments_do_not_take_more_than_the_balance(tea, sound):
    one, other = paid(tea, "T1"), paid(tea, "T2", amount=100)
    refund(tea, other, 100, "R0")
    outcomes = at_once([
        lambda: refund(tea, one, 12800, "R1"), lambda: refund(tea, one, 12800, "R2"),
    ])  # fmt: skip
    assert outcomes == ["done", "refund_exceeds_payment"]
    assert held(tea) == (0, 12900)
    sound()


def test_two_workers_send_each_refund_once(tea, sound):
    payment = paid(tea)
    for number in range(6):
        refund(tea, payment, 100, f"R{number}")

    def work() -> None:
        while claimed := claim_due(at=later(110), limit=1):
            for one in claimed:
                pursue(one, at=later(110))

    assert at_once([work, work]) == ["done", "done"]
    assert len(script_of("first").refunds) == 6
    assert script_of("first").calls.count("refund") == 6
    assert Payment.objects.get().refunded_minor == 600
    sound()
