"""A receiver that is dead, slow or hostile holds up nobody else."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM
from compliance.numbers import new_number
from payments.callbacks import deliver, places
from payments.callbacks.claiming import Claimed, Crowded, claim
from payments.callbacks.deliver import deliver_due
from payments.callbacks.endpoints import EndpointWish, make_endpoint
from payments.callbacks.models import Callback, CallbackState, CallbackTry, Endpoint, Event
from payments.callbacks.places import ALL_FAILING, AT_ONCE, PER_FAILING, PER_LANE, Places
from tests.cast import NOON, Shop, later, open_shop

FAR: Any = later(3600 * 24 * 365)


def endpoint_of(shop: Shop, url: str, **more) -> Endpoint:
    wish = EndpointWish(label="shop", url=url)
    endpoint, _ = make_endpoint(merchant_id=shop.merchant.pk, wish=wish, actor=SYSTEM, at=NOON)
    Endpoint.objects.filter(pk=endpoint.pk).update(**more or {"state": "active"})
    return endpoint


def owe(endpoint: Endpoint, count: int, *, seconds: float = 0) -> None:
    """Events that wait for an endpoint since a time."""
    events = Event.objects.bulk_create(
        Event(
            public_id=new_number("evt_"), merchant=endpoint.merchant, livemode=False,
            type="payment.paid", subject="pay_x", data={"id": "pay_x"}, created_at=later(seconds),
        )
        for _ in range(count)
    )  # fmt: skip
    Callback.objects.bulk_create(
        Callback(
            event=event, merchant=endpoint.merchant, endpoint=endpoint, url=endpoint.url,
            due_at=later(seconds), created_at=later(seconds),
        )
        for event in events
    )  # fmt: skip


class Street(http.server.BaseHTTPRequestHandler):
    """Two programs of merchants: `/dead` answers nothing before `/quick` has heard everything."""

    expected = 0
    heard: list[str] = []
    all_heard: threading.Event

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/dead":
            self.all_heard.wait(30)
        else:
            self.heard.append(self.headers["webhook-id"])
            if len(self.heard) == self.expected:
                self.all_heard.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def street() -> Iterator[str]:
    Street.heard, Street.all_heard = [], threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Street)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Street.all_heard.set()
    server.shutdown()
    server.server_close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_same_merchant", [True, False])
def test_a_dead_endpoint_with_a_backlog_delays_nobody(tea, street, monkeypatch, is_same_merchant):
    """All places would go to what waits longest; the healthy would be heard after time-outs."""
    monkeypatch.setattr(places, "AT_ONCE", 16)
    monkeypatch.setattr(places, "PER_LANE", 4)
    monkeypatch.setattr(deliver, "BATCH", 4)
    monkeypatch.setattr("payments.callbacks.sending.ANSWER_SECONDS", 8)
    quick_shop = tea if is_same_merchant else open_shop("云间书店")
    owe(endpoint_of(tea, f"{street}/dead"), 40)
    owe(endpoint_of(quick_shop, f"{street}/quick"), 30, seconds=1)
    Street.expected = 30

    assert deliver_due() == 70

    assert not CallbackTry.objects.exclude(status=204).exists(), "nobody ran out of time"
    assert not Callback.objects.exclude(state=CallbackState.DELIVERED).exists()
    assert len(set(Street.heard)) == 30


@pytest.mark.django_db
class TestClaiming:
    """Lanes take turns as soon as one of them may not go."""

    def test_what_waits_longest_goes_first_while_all_is_well(self, tea):
        first, second = (
            endpoint_of(tea, "https://a.example/"),
            endpoint_of(tea, "https://b.example/"),
        )
        owe(second, 2, seconds=5)
        owe(first, 2)
        claimed = claim(at=FAR, limit=3)
        assert sorted(one.endpoint_id or 0 for one in claimed) == [first.pk, first.pk, second.pk]

    def test_lanes_take_turns(self, tea, books):
        long, short = (
            endpoint_of(tea, "https://a.example/"),
            endpoint_of(books, "https://b.example/"),
        )
        owe(long, 50)
        owe(short, 2, seconds=9)
        claimed = claim(at=FAR, limit=4, crowded=Crowded())
        assert sorted(one.endpoint_id or 0 for one in claimed) == [long.pk] * 2 + [short.pk] * 2

    def test_crowded_lanes_and_merchants_are_stepped_over(self, tea, books):
        one, two = endpoint_of(tea, "https://a.example/"), endpoint_of(tea, "https://b.example/")
        other = endpoint_of(books, "https://c.example/")
        for endpoint in (one, two, other):
            owe(endpoint, 3)
        free = claim(at=FAR, limit=9, crowded=Crowded(lanes=[one.pk]))
        assert {claimed.endpoint_id for claimed in free} == {two.pk, other.pk}
        Callback.objects.update(lease_until=None)
        free = claim(at=FAR, limit=9, crowded=Crowded(merchants=[tea.merchant.pk]))
        assert {claimed.endpoint_id for claimed in free} == {other.pk}

    def test_paused_endpoints_are_left_alone_until_then(self, tea):
        busy = endpoint_of(tea, "https://a.example/", paused_until=later(600))
        well = endpoint_of(tea, "https://b.example/")
        for endpoint in (busy, well):
            owe(endpoint, 1)
        assert [one.endpoint_id for one in claim(at=later(599), limit=9)] == [well.pk]
        assert [one.endpoint_id for one in claim(at=later(600), limit=9)] == [busy.pk]

    def test_failing_ones_can_be_left_out(self, tea):
        failing = endpoint_of(tea, "https://a.example/", failing_since=NOON)
        well = endpoint_of(tea, "https://b.example/")
        for endpoint in (failing, well):
            owe(endpoint, 1)
        claimed = claim(at=FAR, limit=9, crowded=Crowded(only_healthy=True))
        assert [one.endpoint_id for one in claimed] == [well.pk]

    def test_lanes_whose_first_rows_are_on_their_way_hide_no_others(self, tea, books):
        lanes = [endpoint_of(shop, "https://a.example/") for shop in (tea, books)]
        owe(lanes[0], 1)
        assert len(claim(at=FAR, limit=1)) == 1
        owe(lanes[1], 1, seconds=60)
        claimed = claim(at=FAR, limit=1, crowded=Crowded())
        assert [one.endpoint_id for one in claimed] == [lanes[1].pk]

    def test_addresses_of_payments_are_a_lane_of_their_merchant(self, tea):
        endpoint = endpoint_of(tea, "https://a.example/")
        owe(endpoint, 2)
        Callback.objects.filter(pk=Callback.objects.latest("pk").pk).update(endpoint=None)
        [claimed] = claim(at=FAR, limit=9, crowded=Crowded(lanes=[endpoint.pk]))
        assert (claimed.lane, claimed.endpoint_id) == (-tea.merchant.pk, None)


def going(number: int, lane: int, merchant: int) -> Claimed:
    """A callback that goes to a lane."""
    return Claimed(number, 1, "", merchant, lane, "evt", "payment.paid", timezone.now(), {})


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=150, max_size=300))
def test_half_of_the_places_is_always_left_to_those_who_answer(asked):
    """Whoever asks in whatever order, and what `crowded` forbids is not claimed."""
    shared = Places()
    failing: set[int] = set()
    held: dict[int, int] = {}
    for number, (lane, is_failing) in enumerate(asked):
        if shared.free <= 0:
            break
        crowded = shared.crowded() or Crowded()
        if lane in crowded.lanes or (crowded.only_healthy and lane in failing):
            continue
        if lane in failing:
            assert sum(held[one] for one in failing) < ALL_FAILING
        shared.take(going(number, lane, 1000 + lane))
        held[lane] = held.get(lane, 0) + 1
        if is_failing and held[lane] == 1:
            shared.note(lane, is_failing=True)
            failing.add(lane)
    assert all(count <= PER_LANE for count in held.values())
    assert all(held[lane] <= PER_FAILING for lane in failing)
    assert sum(held.values()) + shared.free == AT_ONCE


def test_a_receiver_that_answers_again_has_its_places_back():
    shared = Places()
    shared.note(7, is_failing=True)
    for number in range(PER_FAILING):
        shared.take(going(number, 7, 1))
    assert shared.crowded() == Crowded(lanes=[7])
    shared.note(7, is_failing=False)
    assert shared.crowded() is None
    for number in range(PER_FAILING):
        shared.leave(going(number, 7, 1))
    assert shared.free == AT_ONCE
