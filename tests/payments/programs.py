"""Merchants' programs behind endpoints, for the stories of callbacks."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from compliance.audit.actor import SYSTEM
from merchants.access import MerchantAccess, by_member
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from payments.acquiring.notifications import receive
from payments.callbacks.endpoints import (
    EndpointWish,
    make_endpoint,
)
from payments.callbacks.models import Endpoint, Event
from tests.cast import NOON, Shop, choose, open_shop, order
from tests.compliance.people import hire
from tests.scripted import script_of


class Program(http.server.BaseHTTPRequestHandler):
    """A merchant's programs: each path answers as it was told to, else 200."""

    statuses: dict[str, int] = {}
    headers_of: dict[str, dict[str, str]] = {}
    heard: list[tuple[str, dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.statuses.get(self.path, 200))
        for name, value in self.headers_of.get(self.path, {}).items():
            self.send_header(name, value)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"yes")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def program() -> Iterator[str]:
    Program.statuses, Program.headers_of, Program.heard = {}, {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Program)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def shop(tea) -> Shop:
    """A shop without any endpoint yet."""
    return open_shop("梅家茶坊")


@pytest.fixture
def mei(shop) -> MerchantAccess:
    """Mei, who owns it."""
    return enter(shop, "mei", Role.OWNER)


def enter(shop: Shop, username: str, role: Role) -> MerchantAccess:
    person = hire(username, has_device=False)
    add_member(user=person.user, merchant_id=shop.merchant.pk, role=role, actor=SYSTEM, at=NOON)
    return by_member(person.user, None, address="")


def name(shop: Shop, url: str, **more) -> tuple[Endpoint, str]:
    wish = EndpointWish(**{"label": "shop", "url": url, **more})
    return make_endpoint(merchant_id=shop.merchant.pk, wish=wish, actor=SYSTEM, at=NOON)


def sell(shop: Shop, number: str = "T1", **changes) -> str:
    """An order that is paid; the event's number."""
    payment = order(shop, number, **changes)
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    return Event.objects.get(subject=payment.id).public_id


def heard_at(path: str) -> list[str]:
    return [headers["webhook-id"] for where, headers, _ in Program.heard if where == path]


def state_of(endpoint: Endpoint) -> str:
    return Endpoint.objects.get(pk=endpoint.pk).state
