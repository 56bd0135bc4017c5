"""Whoever asks for what is not theirs stands in the trail: in the portal and over the API."""

import pytest
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity import failures
from merchants.accounts.keys import create_api_key, revoke_api_key
from merchants.accounts.register import add_member, suspend_merchant
from merchants.accounts.states import Role
from merchants.models import ApiKey
from tests.cast import Shop, open_shop
from tests.compliance.people import NOON, hire

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_was_refused_yet() -> None:
    failures.forget()


@pytest.fixture
def tea() -> Shop:
    return open_shop("Tea")


def told() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="access.refused").order_by("pk"))


def pay(secret: str, **more):
    client = Client(headers={"authorization": f"Bearer {secret}", "user-agent": "shop/1"})
    order = {"merchant_order_no": "T1", "amount": 100, "currency": "CNY", "subject": "tea"}
    return client.post("/api/v1/payments", order, content_type="application/json", **more)


class TestApi:
    """Programs."""

    def test_a_key_without_the_ability_is_told(self, tea):
        key, secret = create_api_key(
            merchant_id=tea.merchant.pk, livemode=False, label="reader",
            scopes=["payments.read"], actor=SYSTEM, at=NOON,
        )  # fmt: skip

        assert pay(secret).status_code == 403

        [entry] = told()
        assert (entry.actor_kind, entry.actor_id) == ("api_key", key.public_id)
        assert (entry.subject_kind, entry.subject_id) == ("api_key", key.public_id)
        assert entry.facts["code"] == "ability_missing"
        assert entry.agent == "shop/1"
        assert secret not in str(entry.facts)

    def test_a_suspended_merchant_is_told(self, tea):
        suspend_merchant(merchant_id=tea.merchant.pk, reason="late", actor=SYSTEM, at=NOON)

        assert pay(tea.api_key).status_code == 403
        assert [entry.facts["code"] for entry in told()] == ["merchant_suspended"]

    def test_a_revoked_key_is_told_without_the_key(self, tea):
        key = ApiKey.objects.get()
        revoke_api_key(merchant_id=tea.merchant.pk, key=key.public_id, actor=SYSTEM, at=NOON)

        assert pay(tea.api_key, REMOTE_ADDR="198.51.100.7").status_code == 401

        [entry] = told()
        assert (entry.actor_id, entry.address) == ("", "198.51.100.7")
        assert entry.facts["code"] == "key_revoked"
        assert tea.api_key not in str(entry.facts)

    def test_nobody_is_told_who_shows_no_key(self, tea):
        assert Client().get("/api/v1/payments").status_code == 401
        assert told() == []

    def test_a_flood_of_made_up_keys_from_many_addresses_leaves_a_few_lines(self, tea):
        for number in range(200):
            answer = pay(f"sk_test_{number:032d}", REMOTE_ADDR=f"198.51.100.{number}")
            assert answer.status_code == 401

        assert 1 <= len(told()) <= 60

    def test_a_flood_with_one_key_leaves_one_line(self, tea):
        suspend_merchant(merchant_id=tea.merchant.pk, reason="late", actor=SYSTEM, at=NOON)
        for _try in range(20):
            pay(tea.api_key)

        assert len(told()) <= 2


class TestPortal:
    """People."""

    def test_a_page_above_ones_place_in_the_team_is_told(self, tea):
        yun = hire("yun")
        add_member(
            merchant_id=tea.merchant.pk, user=yun.user, role=Role.FINANCE, actor=SYSTEM, at=NOON
        )
        client = Client()
        yun.sign_in(client)

        assert client.get("/portal/keys/").status_code == 403

        [entry] = told()
        assert (entry.person, entry.role) == (yun.user.pk, "finance")
        assert entry.facts == {
            "code": "ability_missing", "path": "/portal/keys/", "method": "GET",
        }  # fmt: skip

    def test_a_person_of_no_merchant_is_told(self):
        yun = hire("yun")
        client = Client()
        yun.sign_in(client)

        assert client.get("/portal/").status_code == 403
        [entry] = told()
        assert (entry.person, entry.facts["code"]) == (yun.user.pk, "membership_missing")

    def test_asking_for_another_merchant_is_told(self, tea):
        yun = hire("yun")
        client = Client()
        yun.sign_in(client)

        client.post("/portal/choose/", {"merchant": tea.merchant.public_id})

        assert [entry.facts["code"] for entry in told()] == ["merchant_unknown"]
