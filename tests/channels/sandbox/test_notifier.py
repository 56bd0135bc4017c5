"""Notifications go out until they are acknowledged, on the gateway's schedule."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from payments.channels.sandbox import orders
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder
from payments.channels.sandbox.notifier import deliver_due
from payments.channels.sandbox.speakers import SPEAKERS
from payments.money import Money


class Platform:
    """A merchant's platform that notes what it hears."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.heard: list[tuple[str, dict[str, list[str]]]] = []

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._hear)

    def _hear(self, request: httpx.Request) -> httpx.Response:
        self.heard.append((str(request.url), parse_qs(request.content.decode())))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


YES = httpx.Response(200, content=b"success")


def paid_order(number: str = "att01") -> SandboxOrder:
    now = datetime.now(UTC)
    ask = orders.OrderAsk(
        gateway="alipay", merchant="2088", number=number,
        gateway_number=orders.new_digits(now, 28), product="precreate", amount=Money(100),
        subject="kite", notify_url="http://platform.test/notify/alipay/",
    )  # fmt: skip
    return orders.pay(orders.place(ask, at=now).pk, SPEAKERS["alipay"], at=now)


@pytest.fixture
def order(db):
    return paid_order()


def test_an_acknowledged_notification_is_sent_once(order):
    platform = Platform(YES)
    assert deliver_due(transport=platform.transport) == 1
    assert deliver_due(transport=platform.transport) == 0
    ((url, fields),) = platform.heard
    assert url == "http://platform.test/notify/alipay/"
    assert fields["trade_status"] == ["TRADE_SUCCESS"]
    assert SandboxMessage.objects.get().answer == "200"


@pytest.mark.parametrize(
    ("answer", "noted"),
    [
        (httpx.Response(200, content=b'"success"'), "200 with the wrong body"),
        (httpx.Response(200, content=b"success\n"), "200 with the wrong body"),
        (httpx.Response(302, headers={"location": "/"}), "302"),
        (httpx.Response(500), "500"),
        (httpx.ConnectError("refused"), "ConnectError"),
    ],
)
def test_anything_else_is_sent_again_later_with_the_same_id(order, settings, answer, noted):
    settings.SANDBOX_SPEED = 1
    platform, start = Platform(answer, YES), datetime.now(UTC)
    deliver_due(transport=platform.transport)
    queued = SandboxMessage.objects.get()
    assert queued.answer == noted
    assert queued.due_at is not None
    assert timedelta(minutes=3) < queued.due_at - start < timedelta(minutes=5)
    with time_machine.travel(start + timedelta(minutes=5)):
        assert deliver_due(transport=platform.transport) == 1
    first, second = (fields["notify_id"] for _, fields in platform.heard)
    assert first == second


def test_after_eight_sends_the_gateway_gives_up(order):
    platform, at = Platform(httpx.Response(500)), datetime.now(UTC)
    for _ in range(10):
        at += timedelta(hours=16)
        with time_machine.travel(at):
            deliver_due(transport=platform.transport)
    assert len(platform.heard) == 8
    assert SandboxMessage.objects.get().due_at is None


def test_a_sender_that_died_delays_the_message_by_its_lease(order):
    deliver_due(transport=Platform(YES).transport)
    SandboxMessage.objects.update(due_at=datetime.now(UTC) + timedelta(seconds=60), answer="")
    platform = Platform(YES)
    assert deliver_due(transport=platform.transport) == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert deliver_due(transport=platform.transport) == 1


@pytest.mark.django_db(transaction=True)
def test_two_senders_share_the_work(settings):
    for number in range(6):
        paid_order(f"att{number}")
    platform = Platform(YES)

    def send(_):
        try:
            return deliver_due(3, transport=platform.transport)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(send, range(4)))
    assert sum(sent) == 6
    assert len({fields["out_trade_no"][0] for _, fields in platform.heard}) == 6


def test_the_command_sends_what_is_due(db, capsys):
    call_command("sandbox_notify", "--once")
    assert capsys.readouterr().out == "0 sent\n"
    assert not SandboxOrder.objects.exists()
