"""What hostile merchants try on the sender: forbidden addresses, names that change what they stand
for, silence, answers that drip or never end.
"""

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from payments.callbacks.sending import ANSWER_BYTES, Errand, Result, Sender


class Hostile(http.server.BaseHTTPRequestHandler):
    """Answers as its path says, until the story is over."""

    over: threading.Event

    def do_POST(self) -> None:
        try:
            getattr(self, self.path.strip("/"))()
        except OSError:
            self.close_connection = True  # We hung up.

    def silent(self) -> None:
        self.over.wait(20)

    def dripping_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-drip: ")
        while not self.over.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def dripping_body(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "10000000")
        self.end_headers()
        self.wfile.write(b"yes")
        self.over.wait(20)

    def silent_body(self) -> None:
        self.send_response(503)
        self.send_header("content-length", "3")
        self.send_header("retry-after", "7")
        self.end_headers()
        self.over.wait(20)

    def huge(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(160):
            self.wfile.write(b"x" * 65536)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hostile() -> Iterator[int]:
    Hostile.over = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    Hostile.over.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "status", "error", "answer"),
    [
        ("silent", None, "timeout", ""),
        ("dripping_head", None, "timeout", ""),
        ("dripping_body", 200, "", "yes"),
        ("silent_body", 503, "", ""),
        ("huge", 200, "", "x" * ANSWER_BYTES),
    ],
)
def test_no_answer_holds_a_place_for_longer_than_it_may(
    hostile, monkeypatch, path, status, error, answer
):
    monkeypatch.setattr("payments.callbacks.sending.ANSWER_SECONDS", 2)
    with Sender(plain_http=True, loopback=True) as sender:
        send(sender, f"http://127.0.0.1:{hostile}/{path}")
        [result] = sender.results(wait_seconds=10)
    assert (result.status, result.error, result.answer) == (status, error, answer)
    assert result.wait == ("7" if path == "silent_body" else "")


def test_a_name_that_changes_what_it_stands_for_is_looked_at_each_time(inside, monkeypatch):
    """DNS rebinding: allowed at the first look, one of our own machines at the next."""
    real, stands_for = socket.getaddrinfo, ["127.0.0.1", "10.9.8.7"]

    def look_up(host: str, *args: Any, **more: Any) -> Any:
        return real(stands_for.pop(0) if host == "rebound.example" else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    found = []
    with Sender(plain_http=True, loopback=True) as sender:
        for _ in range(2):
            send(sender, f"http://rebound.example:{inside}/")
            found += sender.results(wait_seconds=10)
    assert [(one.status, one.error) for one in found] == [(200, ""), (None, "address_refused")]
    assert Inside.calls == ["/"]


def test_the_connection_goes_where_was_looked_and_nothing_looks_again(inside, monkeypatch):
    """Between the look and the connection a name server is not asked a second time."""
    real, asked = socket.getaddrinfo, []

    def look_up(host: str, *args: Any, **more: Any) -> Any:
        if host != "once.example":
            return real(host, *args, **more)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.9.8.7", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with Sender(plain_http=True, loopback=True) as sender:
        send(sender, f"http://once.example:{inside}/")
        [result] = sender.results(wait_seconds=10)
    assert (result.status, len(asked)) == (200, 1)


class Inside(http.server.BaseHTTPRequestHandler):
    """A machine of ours that no merchant may make us call."""

    calls: list[str] = []

    def do_POST(self) -> None:
        self.calls.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def inside() -> Iterator[int]:
    Inside.calls = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def send(sender: Sender, url: str, ref: int = 1) -> None:
    sender.submit(Errand(ref, url, {}, b"{}"))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]",
        "[::1]", "localhost", "127。0。0。1", "１２７.0.0.1", "①②⑦.0.0.1",
    ],
)  # fmt: skip
def test_no_spelling_of_a_forbidden_address_is_called(inside, host):
    with Sender(plain_http=True, loopback=False) as sender:
        send(sender, f"http://{host}:{inside}/")
        [result] = sender.results(wait_seconds=10)
    assert result.error == "address_refused"
    assert Inside.calls == []


def test_a_silent_name_server_delays_nobody_else(inside, monkeypatch):
    answered = threading.Event()
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **more: Any) -> Any:
        if host == "silent.example":
            answered.wait(10)
            raise socket.gaierror("gave up")
        return real("127.0.0.1", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with Sender(plain_http=True, loopback=True) as sender:
        for ref in range(60):
            send(sender, f"http://silent.example:{inside}/", ref)
        send(sender, f"http://quick.example:{inside}/", 99)
        first = sender.results(wait_seconds=5)
        answered.set()
        assert [(result.ref, result.status) for result in first] == [(99, 200)]
        rest: list[Result] = []
        while sender.in_flight:
            rest += sender.results(wait_seconds=10)
    assert {result.error for result in rest} == {"connect"}


def test_every_errand_ends_whatever_happens_to_it(inside, monkeypatch):
    async def stumble(self: Sender, errand: Errand) -> tuple[int, str]:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(Sender, "_post", stumble)
    with Sender(plain_http=True, loopback=True) as sender:
        send(sender, f"http://127.0.0.1:{inside}/")
        [result] = sender.results(wait_seconds=5)
    assert (result.status, result.error) == (None, "RuntimeError")
