"""Merchants are told: signed, at least once, on schedule, and never into our own network."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from compliance.audit.actor import SYSTEM
from merchants.accounts.callback_secret import callback_secret_of, rotate_callback_secret
from payments.acquiring.notifications import receive
from payments.callbacks.claiming import LEASE, Crowded, claim
from payments.callbacks.deliver import deliver_due
from payments.callbacks.models import Callback, CallbackState, CallbackTry, Event
from payments.callbacks.rules import WAITS
from payments.callbacks.signing import body_of, sign
from tests.cast import NOON, choose, later, order
from tests.scripted import script_of


class Till(http.server.BaseHTTPRequestHandler):
    """The merchant's program."""

    answers: list[int] = []
    heard: list[tuple[dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
        status = self.answers.pop(0) if self.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"yes")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def till() -> Iterator[str]:
    Till.answers, Till.heard = [], []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Till)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/callbacks"
    server.shutdown()
    server.server_close()


def sell(shop, url: str, number: str = "T1") -> Callback:
    payment = order(shop, number, callback_url=url)
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    make_due()
    return Callback.objects.get(event__subject=payment.id)


def make_due() -> None:
    Callback.objects.filter(state=CallbackState.PENDING).update(
        due_at=timezone.now(), lease_until=None
    )


@pytest.mark.django_db(transaction=True)
def test_the_merchant_hears_and_the_public_library_verifies(tea, till):
    callback = sell(tea, till)
    assert deliver_due() == 1
    callback.refresh_from_db()
    assert callback.state == CallbackState.DELIVERED
    [(headers, body)] = Till.heard
    told = Webhook(callback_secret_of(tea.merchant.pk)).verify(body, headers)
    assert told["type"] == "payment.paid"
    assert told["data"]["object"]["status"] == "paid"
    assert told["id"] == headers["webhook-id"] == callback.event.public_id
    tried = CallbackTry.objects.get()
    assert (tried.status, tried.answer, tried.error) == (200, "yes", "")


@pytest.mark.django_db(transaction=True)
def test_both_secrets_verify_while_one_replaces_the_other(tea, till):
    old = callback_secret_of(tea.merchant.pk)
    new = rotate_callback_secret(merchant_id=tea.merchant.pk, actor=SYSTEM, at=timezone.now())
    sell(tea, till)
    deliver_due()
    [(headers, body)] = Till.heard
    assert old != new
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [500, 404, 302, 429])
def test_anything_but_2xx_is_tried_again_on_schedule(tea, till, status):
    Till.answers = [status]
    callback = sell(tea, till)
    deliver_due()
    callback.refresh_from_db()
    assert (callback.state, callback.tries) == (CallbackState.PENDING, 1)
    assert callback.due_at is not None
    wait = (callback.due_at - CallbackTry.objects.get().at).total_seconds()
    assert WAITS[0] <= wait <= WAITS[0] * 1.1 + 0.1
    assert len(Till.heard) == 1, "a redirect is not followed"
    make_due()
    deliver_due()
    callback.refresh_from_db()
    assert callback.state == CallbackState.DELIVERED
    assert Till.heard[0][1] == Till.heard[1][1], "every try carries the same bytes"


@pytest.mark.django_db(transaction=True)
def test_a_merchant_who_never_answers_is_given_up_after_the_whole_schedule(tea, till):
    Till.answers = [503] * 50
    callback = sell(tea, till)
    for _ in range(len(WAITS) + 1):
        make_due()
        deliver_due()
    callback.refresh_from_db()
    assert callback.state == CallbackState.GIVEN_UP
    assert CallbackTry.objects.count() == len(WAITS) + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("url", "demo", "error"),
    [
        ("http://127.0.0.1:9/", True, "connect"),
        ("http://10.1.2.3/", True, "address_refused"),
        ("https://169.254.169.254/latest/", False, "address_refused"),
        ("https://127.0.0.1:9/", False, "address_refused"),
        ("https://localhost:9/", False, "address_refused"),
        ("https://[::1]:9/", False, "address_refused"),
        ("https://2130706433/", False, "address_refused"),
        ("http://8.8.8.8/", False, "address_refused"),
    ],
)
def test_callbacks_cannot_be_sent_into_our_own_network(tea, settings, url, demo, error):
    callback = sell(tea, url)
    settings.DEMO = demo
    deliver_due()
    tried = CallbackTry.objects.get()
    assert (tried.status, tried.error) == (None, error)
    callback.refresh_from_db()
    assert callback.state == CallbackState.PENDING


@pytest.mark.django_db
def test_a_lease_keeps_others_away_until_it_ends(tea):
    sell(tea, "https://tea.example/")
    at = later(3600 * 24 * 365)
    assert len(claim(at=at, limit=5)) == 1
    assert claim(at=at, limit=5) == []
    assert len(claim(at=at + LEASE, limit=5)) == 1


@pytest.mark.django_db
def test_a_merchant_with_all_places_taken_waits_without_holding_others(tea, books):
    sell(tea, "https://tea.example/", "T1")
    sell(books, "https://books.example/", "B1")
    at = later(3600 * 24 * 365)
    [mine] = claim(at=at, limit=5, crowded=Crowded(merchants=[tea.merchant.pk]))
    assert mine.merchant_id == books.merchant.pk


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_cannot_be_opened_stops_only_its_merchants_callbacks(tea, books, till):
    spoilt, fine = sell(books, till, "B1"), sell(tea, till, "T1")
    books.merchant.callback_secret_sealed = tea.merchant.callback_secret_sealed
    books.merchant.save(update_fields=["callback_secret_sealed"])

    assert deliver_due() == 2

    fine.refresh_from_db()
    assert fine.state == CallbackState.DELIVERED
    spoilt.refresh_from_db()
    assert (spoilt.state, spoilt.lease_until) == (CallbackState.PENDING, None)
    assert CallbackTry.objects.get(callback=spoilt).error == "not_signed"
    assert len(Till.heard) == 1


@pytest.mark.django_db(transaction=True)
def test_many_deliverers_send_each_callback_once(tea, till):
    for number in range(20):
        sell(tea, till, f"T{number}")
    start = threading.Barrier(4)

    def run() -> None:
        try:
            start.wait()
            deliver_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(h["webhook-id"] for h, _ in Till.heard) == sorted(
        Event.objects.values_list("public_id", flat=True)
    )


def test_the_signed_text_is_what_the_standard_says():
    body = body_of(event="evt_1", kind="payment.paid", created_at="2026-11-23T04:00:00.000Z",
                   data={"b": 1, "a": "茶"})  # fmt: skip
    assert json.loads(body)["data"] == {"object": {"a": "茶", "b": 1}}
    secret = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    message = sign(body, event="evt_1", at=NOON, secrets=[secret])
    expected = Webhook(secret).sign("evt_1", NOON, body.decode())
    assert message.headers["webhook-signature"] == expected
