"""The control endpoint: it says what it did, and what is wrong with what it was asked."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from payments.channels.sandbox import faults, orders
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder
from payments.channels.sandbox.speakers import SPEAKERS
from payments.money import Money


@pytest.fixture
def placed(db):
    """An order that waits at the sandbox's Alipay."""
    return place("att01")


def place(number: str, *, reference: str = "pay_01", minor: int = 100) -> SandboxOrder:
    now = datetime.now(UTC)
    ask = orders.OrderAsk(
        gateway="alipay", merchant="2088", number=number,
        gateway_number=orders.new_digits(now, 28), product="precreate", amount=Money(minor),
        subject="kite", notify_url="http://platform.test/notify/alipay/", reference=reference,
        expires_at=now + timedelta(minutes=5),
    )  # fmt: skip
    return orders.place(ask, at=now)


def test_pay_by_our_payment_or_by_the_gateways_number(placed, control):
    told = control("alipay", "pay", payment="pay_01")
    assert told["paid"]["number"] == "att01"
    assert told["paid"]["amount_paid"] == 100
    other = place("att02", reference="pay_02")
    told = control("alipay", "pay", number=other.gateway_number, amount=99)
    assert told["paid"]["number"] == "att02"
    assert told["paid"]["amount_paid"] == 99
    assert SandboxMessage.objects.filter(due_at__lte=datetime.now(UTC)).count() == 2


def test_pay_takes_the_newest_order_that_waits(placed, control):
    place("att02")
    assert control("alipay", "pay", payment="pay_01")["paid"]["number"] == "att02"
    assert control("alipay", "pay", payment="pay_01")["paid"]["number"] == "att01"
    assert control("alipay", "pay", payment="pay_01", status=409)["error"] == "already_paid"


def test_an_unknown_number_is_404(db, control):
    for action in ("pay", "notify"):
        assert control("alipay", action, number="none", status=404)["error"] == "order_unknown"
        assert control("alipay", action, payment="pay_x", status=404)["error"] == "order_unknown"


def test_a_closed_or_late_order_cannot_be_paid(placed, control):
    orders.close(placed.pk, at=datetime.now(UTC))
    assert control("alipay", "pay", number="att01", status=409)["error"] == "order_closed"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"{}", b'{"gateway":"visa","action":"pay"}', b'{"gateway":["alipay"]}',
        b'{"gateway":"alipay","action":"dance"}', b'{"gateway":"alipay","action":"pay"}',
        b'{"gateway":"alipay","action":"pay","number":5}',
        b'{"gateway":"alipay","action":"pay","number":"a\\u0000"}',
        b'{"gateway":"alipay","action":"pay","number":"att01","amount":0.5}',
        b'{"gateway":"alipay","action":"pay","number":"att01","amount":true}',
        b'{"gateway":"alipay","action":"next","fault":"earthquake"}',
        b'{"gateway":"alipay","action":"next","fault":"slow","count":0}',
        b'{"gateway":"alipay","action":"notify","number":"att01","copies":-1}',
        b'{"gateway":"alipay","action":"notify","number":"att01","tamper":"nicely"}',
        b'{"gateway":"alipay","action":"notify","number":"att01","tamper":{}}',
    ],
)  # fmt: skip
def test_bad_input_is_400_and_does_nothing(placed, body):
    answer = Client().post("/sandbox/control/", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "detail"}
    assert not SandboxMessage.objects.exists()


def test_only_posts_are_heard_and_no_csrf_token_is_wanted(db):
    assert Client().get("/sandbox/control/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    body = json.dumps({"gateway": "alipay", "action": "down"})
    answer = strict.post("/sandbox/control/", body, content_type="application/json")
    assert answer.json() == {"gateway": "alipay", "action": "down", "is_down": True}


def test_notify_sends_copies_of_one_notification(placed, control):
    assert control("alipay", "notify", number="att01", status=409)["error"] == "not_paid"
    orders.pay(placed.pk, SPEAKERS["alipay"], at=datetime.now(UTC))
    told = control("alipay", "notify", number="att01", copies=3, tamper=True)
    assert (told["copies"], told["tamper"]) == (3, "signature")
    assert SandboxMessage.objects.count() == 4
    assert SandboxMessage.objects.values("notice_id").distinct().count() == 1


def test_faults_are_met_once_each_in_the_order_planned(db, control):
    control("alipay", "next", fault="slow", count=2)
    control("alipay", "next", fault="http_500")
    met = [faults.take("alipay") for _ in range(4)]
    assert met == ["slow", "slow", "http_500", None]


def test_bills_are_asked_for_by_day(db, control):
    assert control("alipay", "bill", day="2026-11-22")["lines"] == 0
    for wrong in ({"day": "yesterday"}, {"day": "2026-11-22", "extra": -1},
                  {"day": "2026-11-22", "late": "yes"}):  # fmt: skip
        assert control("alipay", "bill", status=400, **wrong)["error"] == "invalid"


def test_every_gateway_has_a_speaker():
    assert set(SPEAKERS) == {"alipay", "wechatpay", "unionpay"}


def test_the_wallet_pays_once_and_shows_what_became_of_the_order(placed):
    browser, page = Client(), f"/sandbox/wallet/{placed.token}/"
    shown = browser.get(page).content.decode()
    assert "1.00" in shown
    assert 'value="pay"' in shown
    assert SandboxOrder.objects.get().seen_at is not None
    assert 'data-result="cancelled"' in browser.post(page, {"action": "cancel"}).content.decode()
    assert 'data-result="paid"' in browser.post(page, {"action": "pay"}).content.decode()
    assert 'data-result="paid"' in browser.post(page, {"action": "pay"}).content.decode()
    assert SandboxMessage.objects.count() == 1
    late = place("att03")
    orders.close(late.pk, at=datetime.now(UTC))
    closed = browser.get(f"/sandbox/wallet/{late.token}/").content.decode()
    assert 'data-result="closed"' in closed


def test_the_wallet_of_nobody_and_of_a_gateway_that_is_down(placed, control):
    assert Client().get("/sandbox/wallet/none/").status_code == 404
    control("alipay", "down")
    assert Client().get(f"/sandbox/wallet/{placed.token}/").status_code == 503


def test_the_front_page_lists_the_orders(placed):
    page = Client().get("/sandbox/").content.decode()
    assert f"/sandbox/wallet/{placed.token}/" in page
    assert "<dt>Alipay</dt>" in page
