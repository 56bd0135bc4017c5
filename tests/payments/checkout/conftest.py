"""A real Chromium for the stories that only a browser can tell."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class _Elsewhere(BaseHTTPRequestHandler):
    """A gateway's front door on another origin: takes a form and sends the visitor on."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.server.taken.append((self.path, self.headers.get("Referer", ""), body))  # type: ignore[attr-defined]
        self.send_response(302)
        self.send_header("Location", "/cashier")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Cashier</title><h1>Cashier</h1>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Elsewhere(ThreadingHTTPServer):
    """Remembers what browsers posted to it: path, referrer, body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Elsewhere)
        self.taken: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Another origin that browsers can reach."""
    server = Elsewhere()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
