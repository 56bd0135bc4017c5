"""Two who do something to the same key at the same moment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from merchants.access import by_api_key, by_member
from merchants.accounts.key_rotation import rotate_api_key
from merchants.accounts.keys import create_api_key, revoke_api_key
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.errors import AccessRefused
from merchants.models import ApiKey
from tests.cast import NOON
from tests.compliance.people import hire
from tests.racing import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def rotate(tea):
    """Give Lin's key a new secret."""
    lin = hire("lin")
    add_member(merchant_id=tea.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    access, now = by_member(lin.user, None, address=""), timezone.now()

    def do() -> object:
        key = ApiKey.objects.earliest("pk").public_id
        return rotate_api_key(
            access=access, key=key, until=now + timedelta(days=1), ends_at=None, at=now
        )

    return do


@pytest.fixture
def secret(tea):
    return create_api_key(
        merchant_id=tea.pk, livemode=False, label="x", scopes=["payments.read"], actor=SYSTEM,
        at=NOON,
    )[1]  # fmt: skip


def test_a_key_gets_one_new_secret(rotate, secret):
    assert at_once([rotate] * 3) == ["done", "key_replaced", "key_replaced"]
    assert ApiKey.objects.count() == 2


def test_a_key_that_is_revoked_meanwhile_opens_nothing_more(rotate, secret, tea):
    key = ApiKey.objects.get().public_id

    def revoke() -> object:
        return revoke_api_key(merchant_id=tea.pk, key=key, actor=SYSTEM, at=timezone.now())

    assert at_once([rotate, revoke]) in (["done", "done"], ["done", "key_over"])
    with pytest.raises(AccessRefused) as refusal:
        by_api_key(secret, address="")
    assert refusal.value.code == "key_revoked"
