"""What hostile merchants try on the sender: forbidden addresses, silent name servers."""

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from payments.callbacks.sending import Errand, Result, Sender


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
