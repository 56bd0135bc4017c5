"""Two thousand payments in three days, with faults: in the end everything is known and in order."""

import random
from collections import Counter

import pytest
import time_machine
from django.db.models import Sum

from compliance.audit.actor import SYSTEM
from payments.acquiring import soundness
from payments.acquiring.models import Attempt, Notification, Payment, Refund
from payments.acquiring.states import LIVE, REFUNDS_UNDER_WAY
from payments.callbacks.models import Event
from payments.channels import registry
from payments.channels.http import GatewayHttp
from payments.channels.models import Channel
from payments.channels.sandbox import notifier
from payments.channels.sandbox.models import SandboxOrder, SandboxRefund
from payments.ledger import checks
from payments.ledger.balances import balance
from payments.ledger.models import AccountKind
from payments.money import Money
from payments.reconciliation.models import Difference, ReconciliationRun
from paysite.demo.channels import connect_sandbox
from tests.cast import open_shop
from tests.channels.conftest import SandboxTransport
from tests.payments.conftest import forget
from tests.payments.three_days import DAYS, GATEWAYS, START, LossyPost, OneAtATime, Town

CLASSES = {"missing": "only_ours", "amount": "amount", "fee": "fee", "extra": "only_theirs"}


@pytest.fixture
def town(settings, monkeypatch, db):
    settings.GATEWAYS = [
        f"payments.channels.{name}"
        for name in ("alipay.Alipay", "wechatpay.WeChatPay", "unionpay.UnionPay")
    ]
    settings.SANDBOX_TIMEOUT_SECONDS = 0
    forget()
    transport = SandboxTransport()
    monkeypatch.setattr(registry, "make_http", lambda: GatewayHttp(transport=transport))
    monkeypatch.setattr(notifier, "ThreadPoolExecutor", OneAtATime)
    rng = random.Random(20261119)
    with time_machine.travel(START, tick=False) as clock:
        connect_sandbox(actor=SYSTEM)
        Channel.objects.update(created_at=START)  # The database's clock does not travel.
        shops = [open_shop(name) for name in ("茗山茶业", "云间书店", "北桥粮油")]
        yield Town(shops=shops, clock=clock, rng=rng, post=LossyPost(rng), count=2000)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_days_end_with_clean_books_and_nothing_unknown(town):
    town.live()

    assert [*checks.breaks(), *soundness.breaks()] == []
    assert Payment.objects.count() == town.count
    for kind in ("faults", "forged", "refunds", "paid too late for the gateway"):
        assert town.told[kind] > 0, kind
    nothing_is_open()
    both_sides_know_the_same()
    merchants_are_owed_what_they_sold(town)
    planted_errors_are_found_once_each_and_none_is_invented(town)


def nothing_is_open():
    assert not Payment.objects.filter(state="pending").exists()
    assert not Attempt.objects.filter(state__in=LIVE).exists()
    assert not Refund.objects.filter(state__in=REFUNDS_UNDER_WAY).exists()
    assert set(ReconciliationRun.objects.filter(day__in=DAYS).values_list("state", flat=True)) == {
        "matched"
    }
    # A forgery may have been refused at the door or found not to match; it booked nothing.
    assert not Notification.objects.filter(verdict="received").exists()


def both_sides_know_the_same():
    """Each order that a gateway was paid for is booked, or was too late and went back."""
    attempts = {one.number: one for one in Attempt.objects.all()}
    for placed in SandboxOrder.objects.all():
        state = attempts[placed.number].state
        assert (state in {"succeeded", "late"}) == (placed.state == "paid"), placed.number
    ours = Counter(Refund.objects.filter(state="succeeded").values_list("number", "amount_minor"))
    assert ours == Counter(SandboxRefund.objects.values_list("number", "amount_minor"))
    late = Attempt.objects.filter(state="late")
    returned = Refund.objects.filter(is_late_return=True, state="succeeded")
    assert set(returned.values_list("attempt", flat=True)) == set(late.values_list("pk", flat=True))


def merchants_are_owed_what_they_sold(town):
    for shop in town.shops:
        paid = Payment.objects.filter(merchant=shop.merchant, state="paid")
        sums = paid.aggregate(sold=Sum("amount_minor"), back=Sum("refunded_minor"))
        owed = balance(AccountKind.MERCHANT_PAYABLE, shop.merchant.public_id, "CNY", livemode=False)
        assert owed == Money(sums["back"] - sums["sold"])
        told = Event.objects.filter(merchant=shop.merchant, type="payment.paid")
        assert sorted(told.values_list("subject", flat=True)) == sorted(
            paid.values_list("public_id", flat=True)
        )


def planted_errors_are_found_once_each_and_none_is_invented(town):
    for (gateway, day), planted in town.planted.items():
        expected = Counter(
            (CLASSES[kind], number) for kind, numbers in planted.items() for number in numbers
        )
        found = Difference.objects.filter(run__channel__code=gateway, run__day=day)
        open_ones = Counter(found.exclude(state="explained").values_list("found", "number"))
        assert open_ones == expected, (gateway, day)
    assert {gateway for gateway, _day in town.planted} == set(GATEWAYS)
