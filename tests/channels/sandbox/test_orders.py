"""What the gateways' shared rules allow, also when two customers hurry."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from payments.channels.sandbox import faults, keyring, orders
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder, SandboxRefund
from payments.channels.sandbox.speakers import SPEAKERS
from payments.money import Money

ALIPAY = SPEAKERS["alipay"]
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def ask(**differently: Any) -> orders.OrderAsk:
    values: dict[str, Any] = {
        "gateway": "alipay", "merchant": "2088", "number": "att01",
        "gateway_number": orders.new_digits(NOW, 28), "product": "precreate",
        "amount": Money(100), "subject": "kite", "notify_url": "http://platform.test/n/",
        "expires_at": NOW + timedelta(minutes=5),
    }  # fmt: skip
    return orders.OrderAsk(**{**values, **differently})


def refund(order: SandboxOrder, minor: int, number: str = "r1") -> tuple[SandboxRefund, bool]:
    return orders.refund(
        order.pk, number=number, gateway_number=orders.new_digits(NOW, 28),
        amount=Money(minor), at=NOW,
    )  # fmt: skip


def test_the_same_order_twice_is_one_and_another_content_is_refused(db):
    first = orders.place(ask(), at=NOW)
    assert orders.place(ask(), at=NOW).pk == first.pk
    for change in ({"amount": Money(101)}, {"subject": "boat"}, {"product": "page"}):
        with pytest.raises(orders.NumberReused):
            orders.place(ask(**change), at=NOW)


def test_a_paid_or_closed_or_late_number_cannot_be_placed_again(db):
    order = orders.place(ask(), at=NOW)
    with pytest.raises(orders.OrderClosed):
        orders.place(ask(), at=NOW + timedelta(minutes=5))
    orders.pay(order.pk, ALIPAY, at=NOW)
    with pytest.raises(orders.OrderPaid):
        orders.place(ask(), at=NOW)


def test_paying_twice_late_or_closed_is_refused(db):
    order = orders.place(ask(), at=NOW)
    with pytest.raises(orders.OrderClosed):
        orders.pay(order.pk, ALIPAY, at=NOW + timedelta(minutes=5))
    orders.pay(order.pk, ALIPAY, at=NOW)
    with pytest.raises(orders.OrderPaid):
        orders.pay(order.pk, ALIPAY, at=NOW)
    with pytest.raises(orders.OrderPaid):
        orders.close(order.pk, at=NOW)
    other = orders.place(ask(number="att02", gateway_number="2"), at=NOW)
    orders.close(other.pk, at=NOW)
    with pytest.raises(orders.OrderClosed):
        orders.pay(other.pk, ALIPAY, at=NOW)


def test_refunds_never_exceed_the_payment(db):
    order = orders.place(ask(), at=NOW)
    with pytest.raises(orders.OrderNotPaid):
        refund(order, 1)
    orders.pay(order.pk, ALIPAY, at=NOW)
    assert refund(order, 60)[1] is True
    assert refund(order, 60)[1] is False
    with pytest.raises(orders.RefundReused):
        refund(order, 61)
    for minor in (41, 0, -1):
        with pytest.raises(orders.RefundTooLarge):
            refund(order, minor, "r2")
    assert orders.refunded(order) == Money(60)


def in_parallel(work: Callable[[int], Any], times: int) -> list[Any]:
    """Run in threads with connections of their own; each returns its result or its refusal."""

    def one(number: int) -> Any:
        try:
            return work(number)
        except orders.GatewayRefusal as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


@pytest.mark.django_db(transaction=True)
def test_hurry_makes_one_order_one_payment_and_no_excess_refund():
    made = in_parallel(lambda n: orders.place(ask(gateway_number=f"g{n}"), at=NOW).pk, 8)
    assert len(set(made)) == 1
    order = SandboxOrder.objects.get()

    paid = in_parallel(lambda _: orders.pay(order.pk, ALIPAY, at=NOW), 6)
    assert paid.count(orders.OrderPaid) == 5
    assert SandboxMessage.objects.count() == 1

    backs = in_parallel(lambda n: refund(order, 30, f"r{n}")[1], 6)
    assert backs.count(True) == 3
    assert backs.count(orders.RefundTooLarge) == 3
    assert SandboxRefund.objects.count() == 3

    faults.plan("alipay", faults.Fault.HTTP_500, 4)
    met = in_parallel(lambda _: faults.take("alipay"), 8)
    assert met.count(faults.Fault.HTTP_500) == 4


@pytest.mark.django_db(transaction=True)
def test_keys_are_made_once_even_in_a_hurry():
    made = in_parallel(lambda _: dict(keyring.keys_of(ALIPAY)), 4)
    assert all(keys == made[0] for keys in made)
