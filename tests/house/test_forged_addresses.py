"""Whoever writes addresses into a header gets no more tries by it, and hides from no entry."""

from collections.abc import Callable
from typing import Final

import pytest
from django.test import Client

from compliance.audit.models import AuditEntry
from tests.compliance.people import PASSWORD, hire

pytestmark = pytest.mark.django_db

HERE: Final = "192.0.2.77"
TRIES: Final = 3


def type_password(client: Client, n: int) -> int:
    return client.post("/signin/", {"username": f"stranger{n}", "password": "wrong"}).status_code


def type_code(client: Client, n: int) -> int:
    return client.post("/signin/code/", {"code": f"{n:06d}"}).status_code


def ask_for_link(client: Client, n: int) -> int:
    return client.post("/signin/forgotten/", {"email": f"stranger{n}@example.com"}).status_code


DOORS: Final[dict[str, Callable[[Client, int], int]]] = {
    "signin": type_password, "code": type_code, "link": ask_for_link,
}  # fmt: skip


def headers_of(n: int, *, proxies: int) -> list[dict[str, str]]:
    """What a caller may write, as it arrives behind so many proxies: each adds whom it saw."""
    seen = [HERE, "10.0.0.1"][:proxies]
    forged = f"198.51.100.{n}"
    told = ", ".join([forged, *seen])
    return [
        {"x-forwarded-for": told},
        {"x-forwarded-for": told, "x-real-ip": forged, "forwarded": f"for={forged}"},
        {"x-forwarded-for": ", ".join(["127.0.0.1", forged, *seen]), "client-ip": forged},
    ]


@pytest.mark.parametrize("proxies", [0, 1, 2])
@pytest.mark.parametrize("limit", sorted(DOORS))
def test_another_address_in_the_header_is_no_other_doer(settings, limit, proxies):
    settings.TRUSTED_PROXIES = proxies
    settings.LIMITS = {**settings.LIMITS, limit: (TRIES, 900, "closed")}
    told = []
    for n in range(12):
        headers = headers_of(n, proxies=proxies)[n % 3]
        client = Client(headers=headers, REMOTE_ADDR=HERE if proxies == 0 else "10.0.0.9")
        told.append(DOORS[limit](client, n))
    assert 429 not in told[:TRIES]
    assert set(told[TRIES:]) == {429}


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_entries_name_where_it_came_from(settings, proxies):
    settings.TRUSTED_PROXIES = proxies
    lin = hire("lin")
    headers = headers_of(5, proxies=proxies)[0]
    client = Client(headers=headers, REMOTE_ADDR=HERE if proxies == 0 else "10.0.0.9")
    client.post("/signin/", {"username": "lin", "password": "wrong"})
    lin.type_password(client, password=PASSWORD)
    lin.sign_in(client)
    entries = AuditEntry.objects.filter(action__in=["signin.failed", "signin.succeeded"])
    assert {entry.address for entry in entries} == {HERE}
    assert entries.count() == 2


def test_a_header_that_is_too_short_names_nobody(settings):
    settings.TRUSTED_PROXIES = 2
    client = Client(headers={"x-forwarded-for": "198.51.100.5"}, REMOTE_ADDR="10.0.0.9")
    client.post("/signin/", {"username": "lin", "password": "wrong"})
    assert AuditEntry.objects.get(action="signin.failed").address == ""
