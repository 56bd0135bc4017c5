"""Gateways notify: their bytes reach the domain untouched, and their reply comes back."""

import io

import pytest
from django.test import Client, RequestFactory

from payments.acquiring.models import Notification, Payment
from payments.channels.base import NotAuthentic
from payments.channels.registry import line
from payments.inbound import views
from tests.cast import choose, order
from tests.scripted import script_of

SEALED = {"x-sealed": "yes"}


@pytest.fixture(autouse=True)
def _faces(settings):
    settings.ROOT_URLCONF = "tests.payments.api.urls"


def knock(body: bytes, *, channel: str = "first", **headers: str):
    return Client(enforce_csrf_checks=True).post(
        f"/notify/{channel}/", body, content_type="application/json", headers={**SEALED, **headers}
    )


def test_a_notification_books_the_payment(tea, sound):
    attempt = choose(order(tea))
    script_of("first").pay(attempt.number)
    message = script_of("first").message(attempt.number)
    answer = knock(message.body)
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert answer.headers["content-type"] == "text/plain"
    assert Payment.objects.get().state == "paid"
    row = Notification.objects.get()
    assert bytes(row.body) == message.body
    assert row.address == "127.0.0.1"
    sound()


def test_ten_copies_are_all_acknowledged_and_book_once(tea, sound):
    attempt = choose(order(tea))
    script_of("first").pay(attempt.number)
    body = script_of("first").message(attempt.number).body
    assert {knock(body).status_code for _ in range(10)} == {200}
    assert Notification.objects.get().copies == 10
    sound()


def test_an_unsigned_notification_is_refused_in_the_gateways_own_words(tea):
    attempt = choose(order(tea))
    script_of("first").pay(attempt.number)
    answer = knock(script_of("first").message(attempt.number).body, **{"x-sealed": "no"})
    assert (answer.status_code, answer.content) == (400, b"unsigned")
    assert Payment.objects.get().state == "pending"


def test_the_bytes_and_headers_arrive_as_they_were_sent(tea, monkeypatch):
    seen = []

    def read(self, message):
        seen.append(message)
        raise NotAuthentic("unreadable")

    monkeypatch.setattr(type(line("first").gateway), "read", read)
    body = "茶 %2B+\r\n\x00".encode()
    assert knock(body, **{"X-Odd-Name": "Value"}).status_code == 400
    assert seen[0].body == body
    assert seen[0].headers["x-odd-name"] == "Value"
    assert seen[0].headers["content-type"] == "application/json"
    assert all(name == name.lower() for name in seen[0].headers)


@pytest.mark.parametrize("channel", ["nobody", "first2", "FIRST"])
def test_a_channel_that_is_not_there(tea, channel):
    assert knock(b"{}", channel=channel).status_code == 404


def test_only_posts_are_notifications(tea):
    answer = Client().get("/notify/first/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_body_of_more_than_64_kib_is_not_read(tea):
    assert knock(b"x" * 65_537).status_code == 413
    assert Notification.objects.count() == 0


def test_a_longer_body_than_was_announced_is_cut_by_the_server_and_not_believed(tea, rf):
    request = rf.post("/notify/first/", b"x" * 65_537, content_type="text/plain")
    request.META["CONTENT_LENGTH"] = "nonsense"
    request._body = b"x" * 65_537
    assert views.notify(request, "first").status_code == 413


def test_a_sender_that_hangs_up_gets_nothing_done(tea):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("connection reset")

    request = RequestFactory().post("/notify/first/", b"{}", content_type="text/plain")
    request._stream = Broken()
    assert views.notify(request, "first").status_code == 400
    assert Notification.objects.count() == 0
