"""Quick start: create a payment, have it paid in the sandbox, and receive the callback.

    pip install standardwebhooks
    python quickstart.py var/demo.json

Instead of the file, the environment may name PAYSITE_URL, PAYSITE_API_KEY and
PAYSITE_CALLBACK_SECRET. Exits with 0 when the payment was paid and its callback was genuine.
"""

import json
import os
import pathlib
import queue
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

WAIT_SECONDS = 60


def settings() -> tuple[str, str, str]:
    """The platform's address, the API key and the callback secret."""
    if len(sys.argv) > 1:
        demo = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
        return demo["base_url"], demo["merchant"]["api_key"], demo["merchant"]["callback_secret"]
    env = os.environ
    return env["PAYSITE_URL"], env["PAYSITE_API_KEY"], env["PAYSITE_CALLBACK_SECRET"]


URL, API_KEY, CALLBACK_SECRET = settings()
events: queue.Queue[dict[str, Any]] = queue.Queue()


class CallbackReceiver(BaseHTTPRequestHandler):
    """What your server does with a callback: verify the raw bytes, keep the event, answer 2xx."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = Webhook(CALLBACK_SECRET).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_response(400)
        else:
            # A callback may come twice: in earnest, do nothing when you know event["id"].
            events.put(event)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


def call(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    """One call of the API. A refusal raises urllib.error.HTTPError, whose body has a `code`."""
    request = urllib.request.Request(
        URL + path,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Authorization": f"Bearer {API_KEY}",
            "Content-Type": "application/json",
            **headers,
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def main() -> None:
    # Your server. In earnest it has an https address that we can reach.
    server = HTTPServer(("127.0.0.1", 0), CallbackReceiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    # 1. Create the payment. Amounts are in fen: 12800 is 128 yuan.
    order_no = f"quickstart-{time.time_ns()}"
    payment = call(
        "POST",
        "/api/v1/payments",
        {
            "merchant_order_no": order_no,
            "amount": 12800,
            "currency": "CNY",
            "subject": "明前龙井 250 g",
            "callback_url": f"http://127.0.0.1:{server.server_port}/callbacks",
        },
        **{"Idempotency-Key": order_no},
    )
    print("created ", payment["id"], "for", payment["merchant_order_no"])
    print("checkout", payment["checkout_url"])

    # 2. The customer opens the checkout page and picks Alipay; here, the form is sent by us.
    form = urllib.parse.urlencode({"method": "alipay"}).encode()
    urllib.request.urlopen(payment["checkout_url"], data=form, timeout=30).close()

    # 3. The customer pays. In test mode the sandbox does it when told to.
    call(
        "POST",
        "/sandbox/control/",
        {"gateway": "alipay", "action": "pay", "payment": payment["id"]},
    )

    # 4. We tell your server.
    event = events.get(timeout=WAIT_SECONDS)
    if event["type"] != "payment.paid" or event["data"]["object"]["id"] != payment["id"]:
        sys.exit(f"an unexpected event: {event}")
    print("callback", event["id"], event["type"], "signature verified")

    # 5. Asking works too, at any time.
    payment = call("GET", f"/api/v1/payments/{payment['id']}")
    if payment["status"] != "paid":
        sys.exit(f"not paid: {payment}")
    print("paid    ", payment["amount"], payment["currency"], "at", payment["paid_at"])


if __name__ == "__main__":
    main()
