"""The line breaks while a paper is being sent: nothing of it stays, and it can be sent again."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.identity.devices import add_device
from compliance.protection.vault.models import StoredFile
from merchants.access import MerchantAccess
from merchants.onboarding.models import Document
from tests.cast import NOON
from tests.compliance.people import SECRET, Person
from tests.merchants.applying import apply, person_of, picture

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/portal/application/documents/"
BOUNDARY = "tea"


def browser_of(access: MerchantAccess) -> Client:
    client = Client()
    user = person_of(access)
    add_device(user=user, secret=SECRET, actor=SYSTEM, at=NOON)
    Person(user).sign_in(client)
    client.get(PAGE)
    return client


def form(client: Client) -> bytes:
    """The upload as a browser would write it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (
            ("csrfmiddlewaretoken", client.cookies["csrftoken"].value), ("kind", "licence"),
        )
    ]  # fmt: skip
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="paper.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), picture().content, f"\r\n--{BOUNDARY}--\r\n".encode()])


def head_of(client: Client, place: str, length: int) -> bytes:
    cookies = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
    return (
        f"POST {PAGE} HTTP/1.1\r\nHost: {place}\r\nCookie: {cookies}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


def files_kept() -> list[Path]:
    root = Path(django_settings.DATA_DIR)
    return sorted(one for one in root.rglob("*") if one.is_file() and "vault" in str(one))


@pytest.fixture
def send(live_server) -> Callable[[Client, int | None], bytes]:
    """Send the head and so many bytes of the body, then hang up on that side; the answer."""

    def sent(client: Client, count: int | None) -> bytes:
        place = urlsplit(live_server.url).netloc
        body = form(client)
        with socket.create_connection((urlsplit(live_server.url).hostname, live_server.thread.port),
                                      timeout=20) as line:  # fmt: skip
            line.sendall(head_of(client, place, len(body)) + body[:count])
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))

    return sent


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_what_breaks_off_leaves_nothing_and_can_be_sent_again(send, part):
    lin = apply()
    client = browser_of(lin)
    body = form(client)
    kept = files_kept()
    # Before anything, within the fields, within the picture, and before its very end.
    places = (0, 120, body.index(b"IDAT"), body.index(b"IEND"))

    answer = send(client, places[part])

    assert b" 302 " not in answer.split(b"\r\n")[0]
    assert not StoredFile.objects.exists()
    assert not Document.objects.exists()
    assert files_kept() == kept

    again = send(client, None)

    assert again.split(b"\r\n")[0].endswith(b"302 Found")
    assert Document.objects.get().kind == "licence"
