"""API keys: a secret shown once, a digest kept, and the one door that programs come through."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from merchants.access import by_api_key, require
from merchants.accounts.abilities import ALL, OF_ROLE, READING, SCOPES, TICKETS_READ
from merchants.accounts.keys import (
    KeyNotFound,
    LiveNotAllowed,
    MerchantSuspended,
    ScopeUnknown,
    TooManyKeys,
    create_api_key,
    revoke_api_key,
)
from merchants.accounts.register import register_merchant, resume_merchant, suspend_merchant
from merchants.accounts.states import Role
from merchants.errors import AccessRefused
from merchants.models import ApiKey, Merchant

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LIN = Actor("user", "3", "lin", "198.51.100.7")
HERE = "203.0.113.9"


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


def make(merchant, **more):
    """A key with every scope unless told otherwise."""
    given = {"livemode": False, "label": "shop", "scopes": SCOPES, "actor": LIN, "at": NOON, **more}
    return create_api_key(merchant_id=merchant.pk, **given)


def refused(bearer: str) -> str:
    with pytest.raises(AccessRefused) as refusal:
        by_api_key(bearer, address=HERE)
    return refusal.value.code


class TestMaking:
    """A key is born with a secret that only its owner will ever have."""

    def test_a_key_opens_its_merchant_and_names_its_bearer(self, tea):
        key, secret = make(tea, scopes=["payments.read", "payments.write"])

        access = by_api_key(secret, address=HERE)

        assert (access.merchant_id, access.merchant, access.livemode) == (
            tea.pk, tea.public_id, False,
        )  # fmt: skip
        assert access.abilities == {"payments.read", "payments.write"}
        assert (access.actor.kind, access.actor.id) == ("api_key", key.public_id)
        assert (access.actor.label, access.actor.address) == (f"{key.prefix}… shop", HERE)

    def test_the_secret_is_long_random_and_says_its_mode(self, tea):
        secrets = {make(tea)[1] for _ in range(5)}

        assert len(secrets) == 5
        assert all(s.startswith("sk_test_") and len(s) == 40 for s in secrets)

    def test_a_database_dump_holds_neither_the_secret_nor_a_plain_hash_of_it(self, tea):
        key, secret = make(tea)

        kept = str(ApiKey.objects.values().get())
        assert secret not in kept
        assert key.prefix == secret[:14]
        assert len(bytes(key.digest)) == 32

    def test_making_one_is_recorded_without_the_secret(self, tea):
        key, secret = make(tea)

        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.subject_id) == ("api_key.created", tea.public_id)
        assert entry.facts["key"] == key.public_id
        assert entry.actor_label == "lin"
        assert secret not in str(entry.facts)

    @pytest.mark.parametrize(
        "scopes", [[], ["payments.everything"], ["keys.manage"], ["team.manage"]]
    )
    def test_a_key_gets_no_scope_that_keys_may_not_have(self, tea, scopes):
        with pytest.raises(ScopeUnknown):
            make(tea, scopes=scopes)
        assert not ApiKey.objects.exists()

    def test_the_database_refuses_such_a_scope_as_well(self, tea):
        make(tea)

        with pytest.raises(IntegrityError, match="api_key_scopes_known"), transaction.atomic():
            ApiKey.objects.update(scopes=["team.manage"])
        with pytest.raises(IntegrityError, match="api_key_scopes_known"), transaction.atomic():
            ApiKey.objects.update(scopes=[])

    def test_a_merchant_who_may_not_take_real_money_gets_no_live_key(self, tea, settings):
        settings.DEMO = False

        with pytest.raises(LiveNotAllowed):
            make(tea, livemode=True)

    def test_a_demo_has_no_live_keys_at_all(self, settings):
        settings.DEMO = True
        books = register_merchant(name="Yunjian Books", may_live=True, actor=SYSTEM, at=NOON)

        with pytest.raises(LiveNotAllowed):
            make(books, livemode=True)

    def test_a_suspended_merchant_gets_no_new_key(self, tea):
        suspend_merchant(merchant_id=tea.pk, reason="review", actor=SYSTEM, at=NOON)

        with pytest.raises(MerchantSuspended):
            make(tea)

    def test_there_is_an_end_to_how_many_keys_one_may_have(self, tea, monkeypatch):
        monkeypatch.setattr("merchants.accounts.keys.KEYS_MAX", 2)
        first, _ = make(tea)
        make(tea)

        with pytest.raises(TooManyKeys):
            make(tea)

        revoke_api_key(merchant_id=tea.pk, key=first.public_id, actor=LIN, at=NOON)
        assert make(tea)[1]


class TestTheDoor:
    """Who comes without a good key learns a stable code and nothing else."""

    @pytest.mark.parametrize(
        ("bearer", "code"),
        [
            ("", "key_missing"),
            ("nonsense", "key_unknown"),
            ("sk_test_", "key_unknown"),
            ("sk_test_" + "a" * 32, "key_unknown"),
            ("sk_test_" + "a" * 33, "key_unknown"),
            ("sk_test_" + "a" * 31 + "\n", "key_unknown"),
            ("sk_test_" + "ä" * 32, "key_unknown"),
            ("sk_live_" + "a" * 32, "wrong_mode"),
            ("sk_test_" + "a" * 100_000, "key_unknown"),
            ("' OR 1=1 --", "key_unknown"),
            ("\0" * 40, "key_unknown"),
        ],
    )
    def test_a_bad_key_is_refused_with_its_code(self, tea, settings, bearer, code):
        settings.DEMO = True
        make(tea)

        assert refused(bearer) == code

    def test_a_malformed_key_costs_no_statement(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert refused("sk_test_short") == "key_unknown"

    def test_one_changed_character_makes_a_key_unknown(self, tea):
        _, secret = make(tea)

        assert refused(secret[:-1] + ("a" if secret[-1] != "a" else "b")) == "key_unknown"
        assert refused(secret.upper()) == "key_unknown"

    def test_a_revoked_key_is_refused_from_the_next_request_on(self, tea):
        key, secret = make(tea)
        by_api_key(secret, address=HERE)

        revoke_api_key(merchant_id=tea.pk, key=key.public_id, actor=LIN, at=NOON)

        assert refused(secret) == "key_revoked"
        assert AuditEntry.objects.latest("pk").action == "api_key.revoked"

    def test_a_live_key_works_where_real_money_is_taken_and_names_its_mode(self, settings):
        settings.DEMO = False
        books = register_merchant(name="Yunjian Books", may_live=True, actor=SYSTEM, at=NOON)
        _, secret = make(books, livemode=True)

        assert secret.startswith("sk_live_")
        assert by_api_key(secret, address=HERE).livemode is True

        Merchant.objects.update(may_live=False)
        assert refused(secret) == "wrong_mode"

    def test_a_suspended_merchants_key_reads_and_does_nothing_else(self, tea):
        _, secret = make(tea)
        suspend_merchant(merchant_id=tea.pk, reason="review", actor=SYSTEM, at=NOON)

        access = by_api_key(secret, address=HERE)

        require(access, "payments.read")
        with pytest.raises(AccessRefused) as refusal:
            require(access, "payments.write")
        assert refusal.value.code == "merchant_suspended"

        resume_merchant(merchant_id=tea.pk, reason="all well", actor=SYSTEM, at=NOON)
        require(by_api_key(secret, address=HERE), "payments.write")

    def test_a_key_without_the_scope_is_told_which_ability_is_missing(self, tea):
        _, secret = make(tea, scopes=["payments.read"])

        with pytest.raises(AccessRefused) as refusal:
            require(by_api_key(secret, address=HERE), "refunds.write")

        assert (refusal.value.code, refusal.value.facts) == (
            "ability_missing", {"ability": "refunds.write"},
        )  # fmt: skip

    def test_keys_still_open_after_the_field_keys_were_rotated(self, tea, settings):
        old = settings.FIELD_KEYS
        _, secret = make(tea)
        new = "fresh:" + base64.b64encode(b"f" * 32).decode()

        settings.FIELD_KEYS = f"{new},{old}"
        assert by_api_key(secret, address=HERE).merchant == tea.public_id

        # Its use has moved it to the new key: the old one may go.
        settings.FIELD_KEYS = new
        assert by_api_key(secret, address=HERE).merchant == tea.public_id


class TestLastUsed:
    """A key's last use is known to the minute, at the price of one write a minute."""

    def test_the_first_use_is_noted_and_the_next_ones_cost_one_statement(self, tea):
        key, secret = make(tea)

        with CaptureQueriesContext(connection) as first:
            by_api_key(secret, address=HERE)
        with CaptureQueriesContext(connection) as second:
            by_api_key(secret, address=HERE)

        assert (len(first), len(second)) == (2, 1)
        key.refresh_from_db()
        assert key.last_used_at is not None

    def test_after_a_minute_it_is_noted_again(self, tea):
        key, secret = make(tea)
        by_api_key(secret, address=HERE)
        key.refresh_from_db()
        long_ago = key.last_used_at - timedelta(minutes=2)
        ApiKey.objects.update(last_used_at=long_ago)

        by_api_key(secret, address=HERE)

        key.refresh_from_db()
        assert key.last_used_at > long_ago


class TestRevoking:
    """Only one's own keys, and once is enough."""

    def test_revoking_again_changes_nothing(self, tea):
        key, _ = make(tea)
        revoke_api_key(merchant_id=tea.pk, key=key.public_id, actor=LIN, at=NOON)
        entries = AuditEntry.objects.count()

        again = revoke_api_key(
            merchant_id=tea.pk, key=key.public_id, actor=LIN, at=NOON + timedelta(days=1)
        )

        assert again.revoked_at == NOON
        assert AuditEntry.objects.count() == entries

    def test_another_merchants_key_is_like_one_that_does_not_exist(self, tea):
        books = register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)
        key, secret = make(books)

        for number in (key.public_id, "key_nothing"):
            with pytest.raises(KeyNotFound):
                revoke_api_key(merchant_id=tea.pk, key=number, actor=LIN, at=NOON)
        assert by_api_key(secret, address=HERE).merchant == books.public_id


def test_no_role_may_more_than_an_owner_and_every_role_may_read_payments():
    assert OF_ROLE[Role.OWNER] == ALL
    assert all(abilities <= ALL and "payments.read" in abilities for abilities in OF_ROLE.values())
    assert OF_ROLE[Role.READ_ONLY] == READING | {TICKETS_READ}
    assert set(OF_ROLE) == set(Role)
