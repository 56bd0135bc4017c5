"""What the sandbox gateways bill is what happened there, and the dialects read just that."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from django.utils import timezone

from payments.channels.alipay import Alipay
from payments.channels.base import Connection, Dialect, Done, Rejected, Unknown
from payments.channels.bills import NO_BILL, BillLine, Bills, LineKind, LineState, MakesBills
from payments.channels.http import GatewayHttp
from payments.channels.sandbox import orders
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.keys import credentials_for
from payments.channels.sandbox.models import SandboxOrder
from payments.channels.sandbox.speakers import SPEAKERS
from payments.channels.unionpay import UnionPay
from payments.channels.wechatpay import WeChatPay
from payments.money import Money
from tests.channels.conftest import BASE_URL

DAY: Final = date(2026, 11, 20)
NOON: Final = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DIALECTS: Final[dict[str, Dialect]] = {
    "alipay": Alipay(), "wechatpay": WeChatPay(), "unionpay": UnionPay(),
}  # fmt: skip
RETURNED: Final = {"alipay": 0, "wechatpay": -18, "unionpay": 0}

Tell = Callable[..., dict[str, Any]]


@pytest.fixture(params=sorted(DIALECTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bills(name: str, gateway_http: GatewayHttp) -> Bills:
    """The channel's bills, from the sandbox."""
    url = f"{BASE_URL}/sandbox/{name}"
    connection = Connection(
        code=name, base_url=url, front_url=url, credentials=credentials_for(name)
    )
    gateway = DIALECTS[name].connect(connection, gateway_http)
    assert isinstance(gateway, MakesBills)
    return gateway.bills


def paid(name: str, number: str, minor: int, *, at: datetime = NOON) -> SandboxOrder:
    """An order that was paid at the gateway."""
    keys = keys_of(SPEAKERS[name])
    merchant = keys[{"alipay": "seller_id", "wechatpay": "mchid", "unionpay": "mer_id"}[name]]
    order = orders.place(
        orders.OrderAsk(
            gateway=name, merchant=merchant, number=number, product="qr", amount=Money(minor),
            gateway_number=orders.new_digits(at, 21), subject="明前龙井, 50g", notify_url="",
            fields={"txnTime": "20261120120000", "bizType": "000201"},
        ),
        at=at,
    )  # fmt: skip
    return orders.pay(order.pk, SPEAKERS[name], at=at)


def give_back(order: SandboxOrder, number: str, minor: int, *, at: datetime = NOON) -> None:
    orders.refund(
        order.pk, number=number, gateway_number=orders.new_digits(at, 21), amount=Money(minor),
        at=at + timedelta(hours=1),
    )  # fmt: skip


def fetched(bills: Bills, day: date = DAY) -> list[BillLine]:
    into = io.BytesIO()
    outcome = bills.fetch_bill(day, into)
    assert isinstance(outcome, Done), outcome
    into.seek(0)
    return list(bills.parse_bill(into, day=day))


def test_a_day_is_billed_as_it_was(name, bills):
    tea = paid(name, "T0000001", 12800)
    paid(name, "T0000002", 83)
    give_back(tea, "R0000001", 3000)

    lines = {line.number: line for line in fetched(bills)}

    assert set(lines) == {"T0000001", "T0000002", "R0000001"}
    tea_line, small, back = (lines[n] for n in ("T0000001", "T0000002", "R0000001"))
    assert (tea_line.kind, tea_line.amount_minor, tea_line.fee_minor) == (
        LineKind.PAYMENT, 12800, 77,
    )  # fmt: skip
    assert (tea_line.gateway_number, tea_line.at) == (tea.gateway_number, NOON)
    assert (small.amount_minor, small.fee_minor) == (83, 0)
    assert (back.kind, back.amount_minor, back.state) == (LineKind.REFUND, 3000, LineState.DONE)
    assert back.fee_minor == RETURNED[name]


def test_planted_errors_stand_in_the_bill_each_once(name, bills, control: Tell):
    for number in range(8):
        paid(name, f"T000000{number}", 10000, at=NOON + timedelta(minutes=number))

    told = control(name, "bill", day="2026-11-20", missing=1, amount=2, fee=1, extra=1)

    planted = told["planted"]
    assert {kind: len(numbers) for kind, numbers in planted.items()} == {
        "missing": 1, "amount": 2, "fee": 1, "extra": 1,
    }  # fmt: skip
    lines = {line.number: line for line in fetched(bills)}
    assert told["lines"] == len(lines) == 8
    assert not set(planted["missing"]) & set(lines)
    assert {n for n, line in lines.items() if line.amount_minor == 10100} == set(planted["amount"])
    assert {n for n, line in lines.items() if line.fee_minor == 160} == set(planted["fee"])
    assert set(planted["extra"]) <= set(lines)


def test_an_empty_day_has_no_bill(bills):
    outcome = bills.fetch_bill(DAY, io.BytesIO())
    assert isinstance(outcome, Rejected)
    assert outcome.code == NO_BILL


def test_a_late_bill_comes_when_it_is_published(name, bills, control: Tell):
    paid(name, "T0000001", 12800)
    control(name, "bill", day="2026-11-20", late=True)
    assert getattr(bills.fetch_bill(DAY, io.BytesIO()), "code", "") == NO_BILL

    control(name, "bill", day="2026-11-20")
    assert [line.number for line in fetched(bills)] == ["T0000001"]


def test_the_day_that_is_not_over_is_billed_only_on_request(name, bills, control: Tell):
    now = timezone.now()
    paid(name, "T0000001", 12800, at=now)
    day = next(
        d for d in (now.date() + timedelta(days=n) for n in (-1, 0, 1))
        if bills.bill_span(d)[0] <= now < bills.bill_span(d)[1]
    )  # fmt: skip
    assert getattr(bills.fetch_bill(day, io.BytesIO()), "code", "") == NO_BILL

    assert control(name, "bill", day=day.isoformat())["lines"] == 1
    assert [line.number for line in fetched(bills, day)] == ["T0000001"]


def test_the_same_bill_comes_twice_with_the_same_bytes(name, bills):
    paid(name, "T0000001", 12800)
    first, second = io.BytesIO(), io.BytesIO()
    bills.fetch_bill(DAY, first)
    bills.fetch_bill(DAY, second)
    assert first.getvalue() == second.getvalue()


def test_a_gateway_that_is_down_is_unknown_and_not_without_a_bill(name, bills, control: Tell):
    paid(name, "T0000001", 12800)
    control(name, "down")
    assert isinstance(bills.fetch_bill(DAY, io.BytesIO()), Unknown)


def test_days_begin_where_the_gateway_says(name, bills):
    start, end = bills.bill_span(DAY)
    evening = 23 if name == "unionpay" else 24
    assert end == datetime(2026, 11, 20, evening - 8, tzinfo=UTC)
    assert end - start == timedelta(days=1)
    assert bills.bill_ready_at(DAY) > end
