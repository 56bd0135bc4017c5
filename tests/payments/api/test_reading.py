"""Merchants look at what they have: one payment, pages of them, events, balances."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments.acquiring.notifications import receive
from payments.callbacks.models import Callback, CallbackState, Event
from tests.cast import NOON, choose, later, order
from tests.payments.api.conftest import code, field_codes
from tests.scripted import script_of


def sell(shop, number: str = "T1", **changes):
    """A payment that its customer paid."""
    payment = order(shop, number, **changes)
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    return payment


def follow(program, answer):
    """The next page, by the address that the page before gave."""
    address = urlsplit(answer.json()["next"])
    assert address.scheme == "http"
    assert address.path.startswith("/api/v1/")
    return program.get(address.path.removeprefix("/api/v1/"), dict(parse_qsl(address.query)))


def numbers(answer) -> list[str]:
    return [payment["merchant_order_no"] for payment in answer.json()["data"]]


def test_a_paid_payment(lin, tea):
    payment = sell(tea)
    told = lin.get(f"payments/{payment.id}").json()
    assert (told["status"], told["method"], told["channel"]) == ("paid", "first", "first")
    assert told["channel_trade_no"].startswith("G")
    assert told["paid_at"].endswith("Z")


@pytest.mark.parametrize(
    "number", ["pay_0", "evt_1", "x" * 128, "1", "%00", "pay_%F0%9F%8D%B5", "..", "pay_%2e%2e"]
)
def test_a_payment_that_is_not_there(lin, number):
    status, told = code(lin.get(f"payments/{number}"))
    assert status == 404
    assert told in {"payment_not_found", "not_found"}


def test_pages_from_the_newest_to_the_oldest(lin, tea):
    for n in range(7):
        order(tea, f"T{n}")
    first = lin.get("payments", {"limit": 3})
    second = follow(lin, first)
    third = follow(lin, second)
    assert [numbers(p) for p in (first, second, third)] == [
        ["T6", "T5", "T4"], ["T3", "T2", "T1"], ["T0"],
    ]  # fmt: skip
    assert third.json()["next"] is None


def test_a_page_that_ends_exactly_has_no_next(lin, tea):
    for n in range(3):
        order(tea, f"T{n}")
    assert lin.get("payments", {"limit": 3}).json()["next"] is None


def test_a_payment_made_meanwhile_moves_no_page(lin, tea):
    for n in range(4):
        order(tea, f"T{n}")
    first = lin.get("payments", {"limit": 2})
    order(tea, "late")
    assert numbers(follow(lin, first)) == ["T1", "T0"]


def test_a_page_keeps_its_filters(lin, tea):
    for n in range(4):
        order(tea, f"T{n}")
    sell(tea, "P")
    first = lin.get("payments", {"limit": 3, "status": "pending"})
    assert numbers(first) + numbers(follow(lin, first)) == ["T3", "T2", "T1", "T0"]


def test_a_long_list_takes_as_many_statements_as_a_short_one(lin, tea):
    sell(tea, "T0")
    lin.get("payments")
    with CaptureQueriesContext(connection) as short:
        lin.get("payments"), lin.get("events")
    for n in range(1, 6):
        sell(tea, f"T{n}")
    with CaptureQueriesContext(connection) as long:
        assert len(numbers(lin.get("payments"))) == 6
        assert len(lin.get("events").json()["data"]) == 6
    assert len(long) == len(short)


def test_filters_of_payments(lin, tea):
    order(tea, "T1", at=NOON)
    order(tea, "T2", at=later(60))
    sell(tea, "T3", at=later(90))
    assert numbers(lin.get("payments", {"merchant_order_no": "T2"})) == ["T2"]
    assert numbers(lin.get("payments", {"merchant_order_no": "T9"})) == []
    assert numbers(lin.get("payments", {"status": "paid"})) == ["T3"]
    assert numbers(lin.get("payments", {"status": ""})) == ["T3", "T2", "T1"]
    after = {"created_after": "2026-11-23T12:01:00+08:00"}
    assert numbers(lin.get("payments", after)) == ["T3", "T2"]
    before = {"created_before": "2026-11-23T04:01:00.000Z"}
    assert numbers(lin.get("payments", before)) == ["T1"]


def test_a_plus_sign_that_was_not_encoded_is_understood(lin, tea):
    order(tea, "T1")
    answer = lin.get("payments?created_after=2026-11-23T12:00:00+08:00")
    assert numbers(answer) == ["T1"]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"limit": "0"}, {"limit": "out_of_range"}),
        ({"limit": "101"}, {"limit": "out_of_range"}),
        ({"limit": "9" * 5000}, {"limit": "out_of_range"}),
        ({"limit": "-1"}, {"limit": "not_an_integer"}),
        ({"limit": "٣"}, {"limit": "not_an_integer"}),
        ({"status": "open"}, {"status": "status_unknown"}),
        ({"merchant_order_no": "a\x00b"}, {"merchant_order_no": "order_no_malformed"}),
        ({"created_after": "yesterday"}, {"created_after": "time_malformed"}),
        ({"created_after": "2026-11-23"}, {"created_after": "time_malformed"}),
        ({"created_after": "2026-11-23T04:00:00"}, {"created_after": "time_malformed"}),
        ({"created_before": "2026-02-30T04:00:00Z"}, {"created_before": "time_malformed"}),
        ({"created_before": "0001-01-01T00:00:00+08:00"}, {"created_before": "time_malformed"}),
        ({"cursor": "1"}, {"cursor": "cursor_malformed"}),
        ({"cursor": "v1.demo.AAAA"}, {"cursor": "cursor_malformed"}),
        ({"cursor": "x" * 5000}, {"cursor": "cursor_malformed"}),
        ({"cursor": "\x00"}, {"cursor": "cursor_malformed"}),
        ({"Status": "paid"}, {"Status": "unknown_field"}),
        ({"limit": ["1", "2"]}, {"limit": "repeated"}),
        ({"limit": "x", "colour": "red"}, {"limit": "not_an_integer", "colour": "unknown_field"}),
    ],
)
def test_queries_that_mean_nothing(lin, query, wrong):
    assert field_codes(lin.get("payments", query)) == wrong


def test_a_cursor_is_good_for_its_list_and_its_merchant_only(lin, yun, tea):
    for n in range(3):
        order(tea, f"T{n}")
    following = lin.get("payments", {"limit": 1}).json()["next"]
    cursor = dict(parse_qsl(urlsplit(following).query))["cursor"]
    assert lin.get("payments", {"cursor": cursor}).status_code == 200
    assert field_codes(lin.get("events", {"cursor": cursor})) == {"cursor": "cursor_malformed"}
    assert field_codes(yun.get("payments", {"cursor": cursor})) == {"cursor": "cursor_malformed"}


def test_closing_a_payment(lin, tea):
    payment = order(tea)
    closed = lin.post(f"payments/{payment.id}/close", idempotency_key="c-1")
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    again = lin.post(f"payments/{payment.id}/close", idempotency_key="c-1")
    assert (again.status_code, again.json()) == (200, closed.json())
    assert lin.post(f"payments/{payment.id}/close").json() == closed.json()
    assert Event.objects.filter(type="payment.closed").count() == 1


def test_a_payment_whose_gateway_is_silent_goes_on_closing(lin, tea):
    payment = order(tea)
    choose(payment)
    script_of("first").faults.append("before")
    answer = lin.post(f"payments/{payment.id}/close")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


def test_a_paid_payment_is_not_closed(lin, tea):
    payment = sell(tea)
    assert code(lin.post(f"payments/{payment.id}/close")) == (409, "payment_already_paid")


def test_closing_what_is_not_there(lin):
    assert code(lin.post("payments/pay_0/close")) == (404, "payment_not_found")
    assert code(lin.post("payments/pay_0/close", idempotency_key="é")) == (
        400,
        "idempotency_key_malformed",
    )


def test_the_balance_follows_the_books(lin, yun, tea):
    empty = {"object": "balance", "livemode": False,
             "data": [{"currency": "CNY", "available": 0, "reserved": 0}]}  # fmt: skip
    assert lin.get("balance").json() == empty
    sell(tea, "T1")
    sell(tea, "T2")
    assert lin.get("balance").json()["data"] == [
        {"currency": "CNY", "available": 25600, "reserved": 0}
    ]
    assert yun.get("balance").json() == empty


def test_an_event_says_what_the_callback_says(lin, tea):
    payment = sell(tea)
    [event] = lin.get("events").json()["data"]
    assert event["type"] == "payment.paid"
    assert event["data"]["object"] == lin.get(f"payments/{payment.id}").json()
    assert event["callback"]["url"] == "https://tea.example/callbacks"
    assert (event["callback"]["status"], event["callback"]["tries"]) == ("pending", 0)
    assert lin.get(f"events/{event['id']}").json() == event


def test_filters_of_events(lin, tea):
    sell(tea, "T1")
    lin.post(f"payments/{order(tea, 'T2').id}/close")

    def types(**query):
        return [event["type"] for event in lin.get("events", query).json()["data"]]

    assert types() == ["payment.closed", "payment.paid"]
    assert types(type="payment.paid") == ["payment.paid"]
    newest = Event.objects.latest("pk").created_at
    assert types(created_after=(newest + timedelta(seconds=1)).isoformat()) == []
    assert types(created_after=NOON.isoformat())
    assert field_codes(lin.get("events", {"type": "x"})) == {"type": "type_unknown"}
    assert field_codes(lin.get("events", {"status": "x"})) == {"status": "unknown_field"}
    first = lin.get("events", {"limit": 1})
    assert follow(lin, first).json()["data"][0]["type"] == "payment.paid"


def test_another_merchants_event_answers_like_one_that_is_not_there(lin, yun, tea):
    sell(tea)
    event = Event.objects.get().public_id
    others, missing = yun.get(f"events/{event}"), yun.get("events/evt_0")
    assert code(others) == (404, "event_not_found")
    assert others.content == missing.content == yun.post(f"events/{event}/replay").content
    assert Callback.objects.count() == 1


def given_up() -> Callback:
    """The event's callback, after its last try."""
    callback = Callback.objects.get()
    callback.state, callback.due_at, callback.ended_at = CallbackState.GIVEN_UP, None, later(99)
    callback.save()
    return callback


def test_a_replay_sends_an_event_again(lin, tea):
    sell(tea)
    old = given_up()
    answer = lin.post(f"events/{old.event.public_id}/replay")
    assert answer.status_code == 200
    assert answer.json()["callback"]["status"] == "pending"
    fresh = Callback.objects.latest("pk")
    assert (fresh.url, fresh.state, fresh.tries) == (old.url, CallbackState.PENDING, 0)
    old.refresh_from_db()
    assert old.state == CallbackState.GIVEN_UP


def test_a_replay_of_a_callback_under_way_makes_it_due(lin, tea):
    sell(tea)
    callback = Callback.objects.get()
    tomorrow = timezone.now() + timedelta(days=1)
    Callback.objects.update(due_at=tomorrow)
    lin.post(f"events/{callback.event.public_id}/replay")
    lin.post(f"events/{callback.event.public_id}/replay")
    assert Callback.objects.get(due_at__lt=timezone.now()) == callback


def test_a_replay_happens_once_per_idempotency_key(lin, tea):
    sell(tea)
    event = given_up().event.public_id
    lin.post(f"events/{event}/replay", idempotency_key="r-1")
    Callback.objects.filter(state="pending").update(
        state=CallbackState.DELIVERED, due_at=None, ended_at=later(100)
    )
    again = lin.post(f"events/{event}/replay", idempotency_key="r-1")
    assert again.json()["callback"]["status"] == "delivered"
    assert Callback.objects.count() == 2
    lin.post(f"events/{event}/replay", idempotency_key="r-2")
    assert Callback.objects.count() == 3


def test_a_replays_idempotency_key_means_that_replay(lin, tea):
    sell(tea, "T1")
    sell(tea, "T2")
    first, second = Event.objects.order_by("pk").values_list("public_id", flat=True)
    assert lin.post(f"events/{first}/replay", idempotency_key="r-1").status_code == 200
    other = lin.post(f"events/{second}/replay", idempotency_key="r-1")
    assert code(other) == (409, "idempotency_key_reused")
    assert code(lin.create(key="r-1", merchant_order_no="T3")) == (409, "idempotency_key_reused")


def test_an_event_that_has_nowhere_to_go(yun, books):
    sell(books)
    event = Event.objects.get().public_id
    assert yun.get(f"events/{event}").json()["callback"] is None
    assert code(yun.post(f"events/{event}/replay")) == (409, "callback_url_missing")


def test_the_body_of_a_call_that_takes_none_is_ignored(lin, tea):
    payment = order(tea)
    answer = lin.post(f"payments/{payment.id}/close", b"\xff", content_type="text/plain")
    assert json.loads(answer.content)["status"] == "closed"
