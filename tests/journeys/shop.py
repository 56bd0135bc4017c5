"""A merchant's own program: creates orders over HTTP and receives callbacks on its own server."""

import itertools
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from standardwebhooks import Webhook

from payments.routing.queries import FRESH_SECONDS
from tests.journeys.running import Platform, eventually

EXPIRE: Final = """
UPDATE payments_attempt SET expires_at = now() - interval '1 second'
 WHERE payment_id = (SELECT id FROM payments_payment WHERE public_id = :'payment');
UPDATE payments_payment SET expires_at = now() - interval '1 second' WHERE public_id = :'payment';
"""
LET_CODE_RUN_OUT: Final = """
UPDATE payments_attempt SET presentation = jsonb_set(
       presentation, '{expires_at}', to_jsonb(now() - interval '1 second'))
 WHERE payment_id = (SELECT id FROM payments_payment WHERE public_id = :'payment');
"""
ASK_NO_MORE: Final = """
UPDATE payments_attempt SET ask_at = now() + interval '1 day'
 WHERE payment_id = (SELECT id FROM payments_payment WHERE public_id = :'payment');
"""
HEAL: Final = """
WITH healed AS (
  UPDATE payments_channelhealth
     SET state = 'closed', ok = 0, failed = 0, opened = 0, retry_at = NULL
   WHERE failed > 0 OR state <> 'closed' RETURNING state
) SELECT count(*) FROM healed
"""
NUMBERS: Final = itertools.count(1)
THANKS: Final = "<!doctype html><html lang=en><title>Thanks</title><h1>Thank you</h1>"


class _Handler(BaseHTTPRequestHandler):
    server: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = Webhook(self.server.secret).verify(body, dict(self.headers))
        with self.server.lock:
            self.server.heard.append(event)
            self.server.ids.append(self.headers["webhook-id"])
        self.server.open.wait(timeout=30)
        self.answer(204, b"")

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/thanks":
            self.server.visits.append(parse_qs(urlsplit(self.path).query))
        self.answer(200, THANKS.encode())

    def answer(self, status: int, body: bytes) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Receiver(ThreadingHTTPServer):
    """The merchant's server. An unsigned or wrongly signed callback is answered with an error."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secret = secret
        self.lock = threading.Lock()
        self.heard: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.visits: list[dict[str, list[str]]] = []
        self.open = threading.Event()
        """While cleared, callbacks are taken but not answered."""
        self.open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def events_of(self, payment: str) -> list[dict[str, Any]]:
        """What was told about a payment, in the order of arrival; repeats are left out."""
        with self.lock:
            found = {event["id"]: event for event in self.heard}
        return [event for event in found.values() if event["data"]["object"]["id"] == payment]

    def wait_for(self, payment: str, kind: str, *, seconds: float = 20.0) -> dict[str, Any]:
        """The callback of one kind about a payment."""

        def told() -> list[dict[str, Any]]:
            return [each for each in self.events_of(payment) if each["type"] == kind]

        found = eventually(told, seconds=seconds)
        assert len(found) == 1, f"{payment}: {kind} came {len(found)} times"
        return found[0]


def heal(platform: Platform) -> None:
    """Channels work again that failed in an earlier story: a killed server is a gateway without an
    answer, and such a channel is rightly taken out for a while.
    """
    [[healed]] = platform.ask(HEAL)
    if int(healed):
        time.sleep(1.2 * FRESH_SECONDS)  # Processes of the platform still show what they read.


@dataclass
class Shop:
    """The tea shop of the demo."""

    platform: Platform
    receiver: Receiver
    api: httpx.Client
    created: list[str] = field(default_factory=list)

    def create(self, **changes: Any) -> dict[str, Any]:
        """An order of tea."""
        number = f"J{time.time_ns()}-{next(NUMBERS)}"
        ask = {
            "merchant_order_no": number, "amount": 12800, "currency": "CNY",
            "subject": "2026 明前龙井 250g", "return_url": f"{self.receiver.url}/thanks",
            "callback_url": f"{self.receiver.url}/callbacks", **changes,
        }  # fmt: skip
        headers = {"Idempotency-Key": ask["merchant_order_no"]}
        answer = self.api.post("/api/v1/payments", json=ask, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        payment: dict[str, Any] = answer.json()
        self.created.append(payment["id"])
        return payment

    def get(self, payment: str) -> dict[str, Any]:
        """As the API shows it now."""
        document: dict[str, Any] = self.api.get(f"/api/v1/payments/{payment}").json()
        return document

    def close(self, payment: str) -> dict[str, Any]:
        """Close it through the API."""
        document: dict[str, Any] = self.api.post(
            f"/api/v1/payments/{payment}/close", headers={"Idempotency-Key": f"close-{payment}"}
        ).json()
        return document

    def available(self) -> int:
        """What the platform owes the shop."""
        for line in self.api.get("/api/v1/balance").json()["data"]:
            if line["currency"] == "CNY":
                return int(line["available"])
        return 0

    def event_states(self, payment: str) -> dict[str, str]:
        """Each event of a payment, and how its callback stands."""
        events = self.api.get("/api/v1/events", params={"limit": 50}).json()["data"]
        return {
            each["type"]: each["callback"]["status"]
            for each in events
            if each["data"]["object"]["id"] == payment
        }

    def control(self, gateway: str, action: str, **words: Any) -> httpx.Response:
        """Tell the sandbox what to do."""
        order = {"gateway": gateway, "action": action, **words}
        return self.api.post("/sandbox/control/", json=order)

    def choose(self, payment: dict[str, Any], method: str, **headers: str) -> httpx.Response:
        """What the checkout's form sends without JavaScript."""
        return self.api.post(payment["checkout_url"], data={"method": method}, headers=headers)

    def expire(self, payment: str) -> None:
        """The order's time runs out now."""
        self.platform.ask(EXPIRE, payment=payment)

    def let_code_run_out(self, payment: str) -> None:
        """The QR code's time runs out now, the order's does not."""
        self.platform.ask(LET_CODE_RUN_OUT, payment=payment)

    def clear(self) -> None:
        """Close what a story left open and let nobody ask about it later: the next story may plan
        a fault for the next question.
        """
        for payment in self.created:
            if self.get(payment)["status"] == "pending":
                self.close(payment)
            self.platform.ask(ASK_NO_MORE, payment=payment)


def by_type(events: list[dict[str, Any]]) -> dict[str, int]:
    """How often each kind of event came."""
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        counts[event["type"]] += 1
    return dict(counts)
