"""Who may call: the right key, for the right merchant, in the right mode, with the right scope."""

import pytest
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from merchants import access
from merchants.accounts.keys import create_api_key, revoke_api_key
from merchants.accounts.register import suspend_merchant
from merchants.models import ApiKey, Merchant
from payments.acquiring.models import IdempotencyKey, Payment
from tests.cast import NOON, order
from tests.payments.api.conftest import Program, code


def test_a_call_without_a_key(lin):
    answer = lin.client.get("/api/v1/balance")
    assert code(answer) == (401, "key_missing")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic c2tfdGVzdDo=", "Token x"])
def test_a_header_that_carries_no_key(lin, header):
    answer = lin.client.get("/api/v1/balance", headers={"authorization": header})
    assert code(answer) == (401, "key_missing")


@pytest.mark.parametrize(
    "key",
    [
        "nonsense",
        "sk_test_",
        "sk_test_" + "a" * 32,
        "sk_test_" + "a" * 5000,
        "pk_test_x",
        "a b",
        "é",
    ],
)
def test_a_key_that_does_not_exist(lin, key):
    assert code(Program(key).get("balance")) == (401, "key_unknown")


def test_the_word_bearer_may_be_written_in_any_case(lin):
    answer = lin.client.get("/api/v1/balance", headers={"authorization": f"bearer  {lin.key}"})
    assert answer.status_code == 200


def test_a_revoked_key_stops_at_once(lin, tea):
    assert lin.get("balance").status_code == 200
    key = ApiKey.objects.get(merchant=tea.merchant)
    revoke_api_key(merchant_id=tea.merchant.pk, key=key.public_id, actor=SYSTEM, at=NOON)
    assert code(lin.get("balance")) == (401, "key_revoked")
    assert code(lin.create()) == (401, "key_revoked")


@pytest.mark.parametrize(
    "how", ["revoked", "expired", "rotated", "suspended", "off_live", "deleted"]
)
def test_a_busy_key_that_no_longer_stands_makes_not_one_payment_more(lin, tea, how):
    lin.create(merchant_order_no="T1", key="k-1")
    stored = ApiKey.objects.get(merchant=tea.merchant)
    if how == "revoked":
        revoke_api_key(merchant_id=tea.merchant.pk, key=stored.public_id, actor=SYSTEM, at=NOON)
    elif how == "expired":
        ApiKey.objects.filter(pk=stored.pk).update(ends_at=timezone.now())
    elif how == "rotated":
        newer, _ = create_api_key(
            merchant_id=tea.merchant.pk, livemode=False, label="x", scopes=["payments.read"],
            actor=SYSTEM, at=NOON,
        )  # fmt: skip
        ApiKey.objects.filter(pk=stored.pk).update(ends_at=timezone.now(), replaced_by=newer)
    elif how == "suspended":
        suspend_merchant(merchant_id=tea.merchant.pk, reason="fraud", actor=SYSTEM, at=NOON)
    elif how == "off_live":
        ApiKey.objects.filter(pk=stored.pk).update(livemode=True)
        Merchant.objects.filter(pk=tea.merchant.pk).update(may_live=False)
    else:
        stored.delete()
    expected = {
        "revoked": (401, "key_revoked"),
        "expired": (401, "key_expired"),
        "rotated": (401, "key_unknown"),
        "suspended": (403, "merchant_suspended"),
        "off_live": (403, "wrong_mode"),
        "deleted": (401, "key_revoked"),
    }[how]
    for again in [{}, {"key": "k-2"}, {"merchant_order_no": "T1", "key": "k-1"}]:
        assert code(lin.create(**{"merchant_order_no": "T2"} | again)) == expected
    assert Payment.objects.count() == 1
    assert IdempotencyKey.objects.count() == 1


def test_a_key_is_looked_up_again_after_some_seconds(lin, tea, monkeypatch):
    lin.create(merchant_order_no="T1")
    monkeypatch.setattr(access, "RECENT_SECONDS", 0.0)
    lin.create(merchant_order_no="T2")
    ApiKey.objects.update(revoked_at=NOON)
    assert code(lin.create(merchant_order_no="T3")) == (401, "key_revoked")


def test_a_live_key_is_of_no_use_in_a_demonstration(lin):
    assert code(Program("sk_live_" + "a" * 32).get("balance")) == (403, "wrong_mode")


def test_a_key_can_do_what_its_scopes_say(tea):
    _, secret = create_api_key(
        merchant_id=tea.merchant.pk, livemode=False, label="reader", scopes=["payments.read"],
        actor=SYSTEM, at=NOON,
    )  # fmt: skip
    reader = Program(secret)
    assert reader.get("payments").status_code == 200
    refused = reader.create()
    assert code(refused) == (403, "scope_missing")
    assert "payments.write" in refused.json()["detail"]
    assert code(reader.get("balance")) == (403, "scope_missing")
    assert code(reader.get("events")) == (403, "scope_missing")
    assert Payment.objects.count() == 0


def test_a_suspended_merchant_reads_and_changes_nothing(lin, tea):
    payment = order(tea)
    suspend_merchant(merchant_id=tea.merchant.pk, reason="documents", actor=SYSTEM, at=NOON)
    assert lin.get(f"payments/{payment.id}").status_code == 200
    assert code(lin.create(merchant_order_no="T2")) == (403, "merchant_suspended")
    assert code(lin.post(f"payments/{payment.id}/close")) == (403, "merchant_suspended")


def test_another_merchants_payment_answers_like_one_that_is_not_there(lin, yun, tea):
    payment = order(tea)
    others = yun.get(f"payments/{payment.id}")
    missing = yun.get("payments/pay_00000000000000000000000000")
    assert code(others) == (404, "payment_not_found")
    assert others.content == missing.content
    closing = yun.post(f"payments/{payment.id}/close")
    assert closing.content == others.content
    assert Payment.objects.get().close_requested_at is None
    assert yun.get("payments").json()["data"] == []


def test_two_merchants_may_use_the_same_numbers(lin, yun):
    first, second = lin.create(key="k-1"), yun.create(key="k-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_the_audit_trail_knows_which_key_and_from_where(lin, tea):
    lin.create()
    key = ApiKey.objects.get(merchant=tea.merchant)
    entry = AuditEntry.objects.get(action="payment.created")
    assert entry.actor_id == key.public_id
    assert entry.address == "127.0.0.1"


def test_a_key_that_is_used_too_often_waits(lin, settings):
    settings.LIMITS = {**settings.LIMITS, "api": (3, 3600, "local")}
    answers = [lin.get("balance") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert code(answers[-1]) == (429, "too_many_requests")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3601
