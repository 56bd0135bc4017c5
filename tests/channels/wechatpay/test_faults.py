"""The sandbox misbehaves: nothing is believed too early, and repeats double nothing."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.utils import timezone

from payments.channels.base import (
    Done,
    NotAuthentic,
    RawMessage,
    Rejected,
    Unknown,
)
from payments.channels.sandbox import faults
from payments.channels.sandbox.faults import Fault
from payments.channels.sandbox.models import (
    SandboxMessage,
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.notifier import deliver_due
from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.wechatpay.gateway import WeChatPayGateway
from tests.channels.wechatpay.scene import asked, pay, refund_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fault", "outcome", "has_happened"),
    [
        (Fault.TIMEOUT_BEFORE, Unknown(reason="timeout"), False),
        (Fault.TIMEOUT_AFTER, Unknown(reason="timeout"), True),
        (Fault.HTTP_500, Unknown(reason="http_500"), False),
        (Fault.BAD_SIGNATURE, Unknown(reason="bad_signature"), True),
        (Fault.SYSTEM_ERROR, Unknown(reason="SYSTEM_ERROR"), False),
        (Fault.REFUSE, Rejected(code="RULE_LIMIT", message="业务规则限制"), False),
        (Fault.SLOW, None, True),
    ],
)
def test_after_any_fault_a_repeat_makes_one_order_and_one_refund(
    shop: WeChatPayGateway, fault: Fault, outcome: object, has_happened: bool
) -> None:
    lin, ask = asked(), refund_of(asked(), 880)
    faults.plan(SPEAKER.name, fault, 1)
    opened = shop.open(lin)
    assert SandboxOrder.objects.exists() is has_happened
    assert isinstance(shop.open(lin), Done)
    pay(lin)
    faults.plan(SPEAKER.name, fault, 1)
    refunded = shop.refund(ask)
    assert SandboxRefund.objects.exists() is has_happened
    assert isinstance(shop.refund(ask), Done)

    assert SandboxOrder.objects.count() == SandboxRefund.objects.count() == 1
    if outcome is None:
        assert isinstance(opened, Done)
        assert isinstance(refunded, Done)
    else:
        assert opened == refunded == outcome


def test_a_gateway_that_is_down_is_unknown(shop: WeChatPayGateway) -> None:
    faults.switch(SPEAKER.name, is_down=True)

    assert shop.open(asked()) == Unknown(reason="http_503")


def test_every_spoiled_notification_is_refused_for_its_own_reason(
    shop: WeChatPayGateway, control: Callable[..., dict[str, Any]]
) -> None:
    lin = asked()
    shop.open(lin)
    heard: list[str] = []

    def platform(request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = RawMessage(headers=headers, body=request.content, received_at=timezone.now())
        try:
            heard.append(shop.read(raw).key)
        except NotAuthentic as doubt:
            heard.append(doubt.reason)
            reply = shop.refuse(doubt.reason)
        else:
            reply = shop.accept()
        return httpx.Response(reply.status, content=reply.body)

    def deliver() -> str:
        deliver_due(transport=httpx.MockTransport(platform))
        return heard.pop()

    control("wechatpay", "pay", payment=lin.reference)
    key = deliver()
    assert key == SandboxMessage.objects.get().notice_id
    assert not SandboxMessage.objects.exclude(due_at=None).exists()
    reasons = {}
    for tamper in ("", "signature", "amount", "unsigned", "probe", "other_key", "old"):
        control("wechatpay", "notify", number=lin.number, tamper=tamper)
        reasons[tamper] = deliver()
    assert reasons == {
        "": key,
        "signature": "bad_signature",
        "amount": "bad_signature",
        "unsigned": "unsigned",
        "probe": "probe",
        "other_key": "bad_signature",
        "old": "stale",
    }
