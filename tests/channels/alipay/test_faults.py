"""Each misbehaviour of the gateway, and what the dialect makes of it. Repeats never double."""

import pytest

from payments.channels.base import Done, RefundState, Rejected, TradeState, Unknown
from payments.channels.sandbox.models import SandboxOrder, SandboxRefund
from tests.channels.alipay.conftest import ask_for, key_of

UNDECIDED = {
    "timeout_before": "timeout",
    "timeout_after": "timeout",
    "http_500": "http_500",
    "bad_signature": "bad_signature",
    "system_error": "ACQ.SYSTEM_ERROR",
}


@pytest.mark.parametrize(("fault", "reason"), UNDECIDED.items())
def test_an_undecided_open_is_repeated_and_makes_one_order(alipay, order, control, fault, reason):
    control("alipay", "next", fault=fault)
    assert alipay.open(order()) == Unknown(reason=reason)
    assert isinstance(alipay.open(order()), Done)
    assert SandboxOrder.objects.count() == 1


@pytest.mark.parametrize(("fault", "reason"), UNDECIDED.items())
def test_an_undecided_refund_is_repeated_and_refunds_once(alipay, order, control, fault, reason):
    ask = order()
    alipay.open(ask)
    control("alipay", "pay", payment="pay_01")
    control("alipay", "next", fault=fault)
    assert alipay.refund(ask_for(ask, 8880)) == Unknown(reason=reason)
    again = alipay.refund(ask_for(ask, 8880))
    assert again.value.state is RefundState.SUCCEEDED
    assert SandboxRefund.objects.count() == 1


@pytest.mark.parametrize(("fault", "reason"), UNDECIDED.items())
def test_an_undecided_query_or_close_says_nothing_about_money(
    alipay, order, control, fault, reason
):
    ask = order()
    alipay.open(ask)
    control("alipay", "pay", payment="pay_01")
    control("alipay", "next", fault=fault, count=2)
    assert alipay.query(key_of(ask)) == Unknown(reason=reason)
    assert alipay.close(key_of(ask)) == Unknown(reason=reason)
    assert alipay.query(key_of(ask)).value.state is TradeState.PAID


def test_a_slow_answer_is_an_answer(alipay, order, control):
    control("alipay", "next", fault="slow")
    assert isinstance(alipay.open(order()), Done)


def test_a_refusal_is_final_and_leaves_no_trace(alipay, order, control):
    control("alipay", "next", fault="refuse")
    refused = alipay.open(order())
    assert refused == Rejected(code="ACQ.ACCESS_FORBIDDEN", message="业务拒绝")
    assert not SandboxOrder.objects.exists()


def test_a_gateway_that_is_down_decides_nothing(alipay, order, control):
    control("alipay", "down")
    assert alipay.open(order()) == Unknown(reason="http_503")
    control("alipay", "up")
    assert isinstance(alipay.open(order()), Done)
