"""A key that works only from its merchant's own machines."""

from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from merchants.access import by_api_key, by_recent_api_key, confirm
from merchants.accounts.keys import create_api_key
from merchants.accounts.networks import (
    NETWORKS_MAX,
    NetworkMalformed,
    TooManyNetworks,
    networks_of,
)
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.errors import AccessRefused
from merchants.models import ApiKey
from tests.compliance.people import confirm as confirm_page
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ORDER = {"merchant_order_no": "tea-1", "amount": 100, "currency": "CNY", "subject": "Tea"}
INSIDE, OUTSIDE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


def key_for(merchant, *networks: str) -> str:
    return create_api_key(
        merchant_id=merchant.pk, livemode=False, label="shop", allowed_from=networks,
        scopes=["payments.read", "payments.write"], actor=SYSTEM, at=NOON,
    )[1]  # fmt: skip


def answer(secret: str, address: str) -> str:
    try:
        by_api_key(secret, address=address)
    except AccessRefused as refusal:
        return refusal.code
    return "let in"


def payments(secret: str, *, method: str = "get", **meta: str):
    send = getattr(Client(headers={"authorization": f"Bearer {secret}"}), method)
    body = {"data": ORDER, "content_type": "application/json"} if method == "post" else {}
    return send("/api/v1/payments", REMOTE_ADDR=OUTSIDE, **body, **meta)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (INSIDE, "let in"),
        (f"::ffff:{INSIDE}", "let in"),
        ("2001:db8::7", "let in"),
        (OUTSIDE, "address_not_allowed"),
        ("2001:db9::7", "address_not_allowed"),
        ("fe80::1%eth0", "address_not_allowed"),
        ("", "address_not_allowed"),
    ],
)
def test_a_key_with_a_list_opens_only_from_there(tea, address, told):
    assert answer(key_for(tea, "203.0.113.0/24", "2001:db8::/32"), address) == told


def test_a_key_without_a_list_opens_from_anywhere(tea):
    assert {answer(key_for(tea), address) for address in (INSIDE, OUTSIDE, "")} == {"let in"}


def test_a_key_found_lately_is_still_held_to_its_list(tea):
    secret = key_for(tea, INSIDE)
    by_recent_api_key(secret, address=INSIDE)

    with pytest.raises(AccessRefused) as refusal:
        confirm(by_recent_api_key(secret, address=OUTSIDE))

    assert refusal.value.code == "address_not_allowed"


def test_the_look_up_stays_one_statement(tea, django_assert_num_queries):
    secret = key_for(tea, INSIDE)
    by_api_key(secret, address=INSIDE)

    with django_assert_num_queries(1):
        by_api_key(secret, address=INSIDE)


class TestOverTheApi:
    """Who holds a stolen key may write what they like into the request."""

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_forged_forwarding_header_opens_nothing(self, tea, settings, method):
        settings.TRUSTED_PROXIES = 0

        refused = payments(key_for(tea, INSIDE), method=method, HTTP_X_FORWARDED_FOR=INSIDE)

        assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed")

    def test_behind_a_proxy_only_what_the_proxy_wrote_counts(self, tea, settings):
        settings.TRUSTED_PROXIES = 1
        secret = key_for(tea, INSIDE)

        forged = payments(secret, HTTP_X_FORWARDED_FOR=f"{INSIDE}, {OUTSIDE}")
        real = payments(secret, HTTP_X_FORWARDED_FOR=f"{OUTSIDE}, {INSIDE}")

        assert (forged.status_code, real.status_code) == (403, 200)

    def test_a_key_used_a_moment_ago_makes_no_payment_from_elsewhere(self, tea, settings):
        settings.TRUSTED_PROXIES = 1
        secret = key_for(tea, INSIDE)

        made = payments(secret, method="post", HTTP_X_FORWARDED_FOR=INSIDE)
        refused = payments(secret, method="post", HTTP_X_FORWARDED_FOR=OUTSIDE)

        assert made.status_code == 201, made.content
        assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed")

    def test_the_trail_names_the_key_once_a_minute(self, tea):
        secret = key_for(tea, INSIDE)

        for _ in range(3):
            payments(secret)

        entry = AuditEntry.objects.get(action="access.refused")
        assert entry.actor_id == ApiKey.objects.get().public_id
        assert entry.facts["code"] == "address_not_allowed"


class TestInThePortal:
    """Lin writes the list when making the key, and confirms it with the rest."""

    @pytest.fixture
    def lin(self, tea):
        person = hire("lin")
        add_member(merchant_id=tea.pk, user=person.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        client = Client(headers={"accept-language": "en"})
        person.sign_in(client)
        return client

    def test_lin_makes_a_key_for_two_networks(self, lin):
        form = {"label": "x", "scopes": ["payments.read"], "allowed_from": f"{INSIDE}\n10.0.0.0/8"}

        made = confirm_page(lin, lin.post("/portal/keys/", form))

        assert made.status_code == 201
        assert ApiKey.objects.get().allowed_from == ["10.0.0.0/8", f"{INSIDE}/32"]
        assert "10.0.0.0/8" in lin.get("/portal/keys/").content.decode()

    @pytest.mark.parametrize(
        "typed", ["10.0.0.1/8", "tea", "\n".join(map("10.0.0.{}".format, range(21)))]
    )
    def test_a_bad_list_makes_no_key_and_says_why(self, lin, typed):
        form = {"label": "x", "scopes": ["payments.read"], "allowed_from": typed}

        page = lin.post("/portal/keys/", form)

        assert page.status_code == 200
        assert 'class="error"' in page.content.decode()
        assert not ApiKey.objects.exists()


@given(st.lists(st.ip_addresses().map(str), max_size=NETWORKS_MAX))
def test_each_address_typed_is_in_one_of_the_networks(typed):
    kept = networks_of(typed)

    assert networks_of(kept) == kept
    assert {str(ip_network(address)) for address in typed} == set(kept)


@pytest.mark.parametrize("typed", ["10.0.0.1/8", "", "fe80::1%eth0", "1.2.3", "0/0; DROP"])
def test_what_is_no_network_is_refused(typed):
    with pytest.raises(NetworkMalformed):
        networks_of([typed])


def test_twenty_networks_are_enough():
    with pytest.raises(TooManyNetworks):
        networks_of(f"10.0.0.{n}" for n in range(NETWORKS_MAX + 1))
