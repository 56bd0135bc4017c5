"""Whatever happens in whatever order, the books hold and money is never lost, doubled or kept.

Hypothesis plays customers, merchants, gateways, faults and time against each other.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from payments.acquiring import soundness
from payments.acquiring.asking import RefundWish
from payments.acquiring.janitor import claim_to_ask, expire, expired, look_after
from payments.acquiring.models import Attempt, Payment, Refund
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.acquiring.refund_approving import give_up_unreleased
from payments.acquiring.refunding import request_refund
from payments.acquiring.refunds import claim_due, pursue
from payments.acquiring.states import LIVE, REFUNDS_UNDER_WAY
from payments.callbacks.models import Event
from payments.channels.base import RawMessage, TradeState
from payments.errors import Refusal
from payments.ledger import checks
from payments.ledger.balances import balance
from payments.ledger.models import AccountKind
from payments.money import Money
from tests.cast import NOON, choose, connect_scripted, open_shop, order
from tests.payments.conftest import forget
from tests.scripted import SCRIPTS, script_of

METHODS = st.sampled_from(["first", "second"])
FAULTS = st.sampled_from(["ok", "before", "after", "reject"])


class Business(RuleBasedStateMachine):
    """One shop, two gateways, and time that only goes forward."""

    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        forget()
        connect_scripted()
        self.shop = open_shop("茗山茶业")
        self.now = NOON
        self.count = 0
        self.messages: list[tuple[str, RawMessage]] = []

    @rule(target=payments, minor=st.integers(1, 10**9))
    def create(self, minor):
        self.count += 1
        return order(self.shop, f"T{self.count}", amount=Money(minor), expires_in=600, at=self.now)

    @rule(payment=payments, method=METHODS, fault=FAULTS)
    def choose(self, payment, method, fault):
        script_of(method).faults.append(fault)
        try:
            choose(payment, method, at=self.now)
        except Refusal:
            pass
        finally:
            for script in SCRIPTS.values():
                script.faults.clear()

    @rule(method=METHODS, data=st.data())
    def wallet_pays(self, method, data):
        waiting = [n for n, k in script_of(method).orders.items() if k.state is TradeState.WAITING]
        if waiting:
            number = data.draw(st.sampled_from(sorted(waiting)))
            script_of(method).pay(number)
            self.messages.append((method, script_of(method).message(number)))

    @rule(data=st.data(), copies=st.integers(1, 3))
    def notify(self, data, copies):
        if self.messages:
            method, raw = data.draw(st.sampled_from(self.messages))
            raw = replace(raw, received_at=self.now)
            for _ in range(copies):
                assert receive(channel_code=method, raw=raw, address="").status == 200

    @rule(payment=payments, fault=FAULTS)
    def merchant_closes(self, payment, fault):
        for script in SCRIPTS.values():
            script.faults.append(fault if fault != "reject" else "ok")
        with suppress(Refusal):
            close_payment(access=self.shop.access, payment=payment.id, at=self.now)
        for script in SCRIPTS.values():
            script.faults.clear()

    @rule(payment=payments, minor=st.integers(1, 10**9), fault=FAULTS)
    def merchant_refunds(self, payment, minor, fault):
        self.count += 1
        wish = RefundWish(merchant_refund_no=f"R{self.count}", amount_minor=minor)
        with suppress(Refusal):
            request_refund(access=self.shop.access, payment=payment.id, wish=wish, at=self.now)
            script_of(payment.method or "first").faults.append(fault)

    @rule(seconds=st.sampled_from([1, 15, 61, 400, 4000]))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def workers_run(self):
        for public_id in expired(at=self.now, limit=50):
            expire(public_id, at=self.now)
        for attempt in claim_to_ask(at=self.now, limit=50):
            look_after(attempt, at=self.now)
        for refund in claim_due(at=self.now, limit=50):
            pursue(refund, at=self.now)
        give_up_unreleased(at=self.now, limit=50)

    @rule(method=METHODS, can_close=st.booleans())
    def gateway_changes_its_manners(self, method, can_close):
        script_of(method).can_close = can_close

    @invariant()
    def the_books_hold(self) -> None:
        assert [*checks.breaks(), *soundness.breaks()] == []

    @invariant()
    def the_merchant_is_owed_what_was_paid_and_is_not_going_back(self):
        paid = sum(
            p.amount_minor - p.refunded_minor - p.refunding_minor
            for p in Payment.objects.filter(state="paid")
        )
        owed = balance(
            AccountKind.MERCHANT_PAYABLE, self.shop.merchant.public_id, "CNY", livemode=False
        )
        assert owed == Money(-paid)

    @invariant()
    def at_most_one_live_attempt_and_one_event(self):
        for payment in Payment.objects.all():
            assert payment.attempts.filter(state__in=LIVE).count() <= 1
            assert Event.objects.filter(subject=payment.public_id).count() <= 1

    def teardown(self):
        try:
            self.everything_comes_to_rest()
        finally:
            transaction.set_rollback(True)
            self.world.__exit__(None, None, None)

    def everything_comes_to_rest(self) -> None:
        """No paid order is missing and no money is kept."""
        for _ in range(10):
            self.now += timedelta(hours=6)
            self.workers_run()
        assert not Payment.objects.filter(state="pending").exists()
        assert not Attempt.objects.filter(state__in=LIVE).exists()
        assert not Refund.objects.filter(state__in=REFUNDS_UNDER_WAY).exists()
        for method, script in SCRIPTS.items():
            for number, kept in script.orders.items():
                attempt = Attempt.objects.get(number=number)
                if kept.paid is not None:
                    assert attempt.state in {"succeeded", "late"}, (method, number)
                    late = Refund.objects.filter(attempt=attempt, is_late_return=True)
                    returned = late.filter(state="succeeded").count()
                    assert returned == (attempt.state == "late")
                else:
                    assert attempt.state not in {"succeeded", "late"}
        self.the_books_hold()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db
def test_any_order():
    run_state_machine_as_test(
        Business,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
