"""Fields that a form does not offer are planted into every form there is: none of them counts.

The addresses come from the URL resolver, the forms from the pages as they are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from compliance.identity.states import StaffRole
from compliance.models import RoleGrant, User
from merchants.accounts.states import Role
from merchants.models import ApiKey, Member, Merchant
from payments.acquiring.models import Payment
from payments.channels.models import Channel
from tests.cast import open_shop
from tests.house.addresses import addresses, path_of, things_of
from tests.house.test_rights import Visitor, browser_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

PLANTED: Final = {
    "is_staff": "on", "is_superuser": "on", "is_active": "", "user": "1", "user_id": "1",
    "role": "owner", "roles": "administrator", "grants": "administrator", "groups": "1",
    "status": "paid", "state": "executed", "amount": "1", "amount_minor": "1", "currency": "USD",
    "merchant": "1", "merchant_id": "1", "livemode": "on", "may_live": "on", "scopes": "all",
    "revoked_at": "", "maker": "1", "checker": "1", "payload": "{}", "actor": "system",
    "password": "planted by a stranger", "otp_device": "1", "credentials_sealed": "x",
    "callback_secret_sealed": "x", "paid_at": "2026-11-23", "id": "1", "pk": "1",
}  # fmt: skip
"""What one would try."""

MEANT: Final = {"/close/": {"state": "closed"}}
"""Buttons that change such a thing by themselves, by the end of their address: what they make of
it, and nothing else of it."""

WHO: Final = (
    Visitor("nobody"),
    Visitor("tea owner", member=Role.OWNER),
    Visitor("books owner", member=Role.OWNER, is_of_other_shop=True),
    Visitor("tea developer", member=Role.DEVELOPER),
    *(Visitor(str(role), staff=role) for role in StaffRole),
)
LEAVING: Final = frozenset({"identity:signout", "admin:logout"})


@dataclass
class Form:
    """A form as a browser would send it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


def _is_sent(told: dict[str, str]) -> bool:
    is_chosen = told.get("type") not in {"checkbox", "radio"} or "checked" in told
    return is_chosen and bool(told.get("name"))


class Forms(HTMLParser):
    """Reads the forms of a page that post."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._is_open = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_open = told.get("method", "get").lower() == "post"
            if self._is_open:
                self.found.append(Form(told.get("action", "")))
        elif self._is_open and tag == "select":
            self._select = told.get("name", "")
        elif self._is_open and tag == "option" and "selected" in told:
            self.found[-1].fields[self._select] = told.get("value", "")
        elif self._is_open and tag in {"input", "button", "textarea"} and _is_sent(told):
            self.found[-1].fields[told["name"]] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._is_open = self._is_open and tag != "form"


Things = dict[str, dict[object, dict[str, object]]]


def what_counts() -> Things:
    """Everything that a planted field could have changed: rows by kind and key."""
    columns = {
        User: ("username", "email", "is_staff", "is_superuser", "is_active", "password"),
        RoleGrant: ("user_id", "role"),
        Member: ("user_id", "merchant_id", "role"),
        ApiKey: ("public_id", "merchant_id", "livemode", "scopes"),
        Merchant: ("public_id", "status", "may_live", "callback_secret_sealed"),
        Payment: ("public_id", "merchant_id", "state", "amount_minor", "currency", "livemode"),
        Channel: ("code", "livemode", "state", "credentials_sealed"),
    }
    return {
        model.__name__: {row["pk"]: row for row in model._default_manager.values("pk", *names)}
        for model, names in columns.items()
    }


def differences(before: Things, now: Things, *, meant: dict[str, str]) -> list[str]:
    """The kinds of which a row is new, gone or changed otherwise than was meant."""
    return [
        kind
        for kind, rows in now.items()
        if rows.keys() != before[kind].keys()
        or any(row != rows[key] and row | meant != rows[key] for key, row in before[kind].items())
    ]


def forms_of(client: Client, path: str) -> Iterator[Form]:
    """The forms of the page at a path, or one without fields when there is no page."""
    page = client.get(path)
    reader = Forms()
    if not page.streaming and page.headers.get("Content-Type", "").startswith("text/html"):
        reader.feed(page.content.decode())
    yield Form("")
    yield from reader.found


@pytest.mark.parametrize("visitor", WHO, ids=lambda visitor: visitor.name)
def test_no_form_takes_what_it_does_not_offer(visitor, tea, settings):
    settings.LIMITS = dict.fromkeys(settings.LIMITS, (10_000, 60, "local"))
    books = open_shop("云间书店")
    things = things_of(tea)
    client = browser_of(visitor, tea, books)
    client.raise_request_exception = False
    before = what_counts()
    changed, posted = {}, 0
    for address in addresses():
        if address.name in LEAVING or address.name.startswith("sandbox:"):
            continue
        path = path_of(address, things)
        for form in forms_of(client, path):
            to = urlsplit(urljoin(path, form.action)).path
            if to in {"/signout/", "/admin/logout/"}:
                continue
            answer = client.post(to, {**PLANTED, **form.fields})
            posted += 1
            assert answer.status_code < 500, (address.name, to)
            now = what_counts()
            meant = next((MEANT[end] for end in MEANT if to.endswith(end)), {})
            if found := differences(before, now, meant=meant):
                changed[f"{address.name} {to}"] = found
            before = now
    assert changed == {}
    assert posted > 40


def test_no_call_takes_what_it_does_not_know(tea):
    key = {"authorization": f"Bearer {tea.api_key}"}
    ask = {"merchant_order_no": "T10", "amount": 500, "currency": "CNY", "subject": "tea"}
    before = what_counts()
    answers = {}
    for name in sorted(set(PLANTED) - set(ask)):
        body = {**ask, name: PLANTED[name]}
        answer = Client().post("/api/v1/payments", body, "application/json", headers=key)
        answers[name] = answer.status_code
    assert set(answers.values()) == {400}, answers
    assert what_counts() == before
