"""Merchants create payments: once, whatever the network does, and never from nonsense."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from payments.acquiring.models import IdempotencyKey, Payment
from tests.payments.api.conftest import Program, code, field_codes


def test_a_new_payment_is_told_whole(lin):
    answer = lin.create(metadata={"cart": "c-81"}, expires_in=600)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    row = Payment.objects.get()
    assert told["id"] == row.public_id
    assert told["checkout_url"].startswith("http://127.0.0.1:8000/pay/")
    assert told | {"id": 0, "checkout_url": 0, "created_at": 0, "expires_at": 0} == {
        "id": 0, "object": "payment", "merchant_order_no": "T1", "amount": 12800,
        "currency": "CNY", "subject": "明前龙井", "status": "pending", "amount_refunded": 0,
        "method": None, "channel": None, "channel_trade_no": None, "checkout_url": 0,
        "created_at": 0, "expires_at": 0, "paid_at": None, "closed_at": None,
        "metadata": {"cart": "c-81"}, "livemode": False,
    }  # fmt: skip
    assert (row.expires_at - row.created_at).total_seconds() == 600
    assert lin.get(f"payments/{told['id']}").json() == told


def test_a_payment_costs_one_statement(lin, django_assert_num_queries):
    lin.create(merchant_order_no="warm")
    with django_assert_num_queries(3):  # one, and the savepoint that the test's transaction adds
        lin.create(key="k-1")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"amount": ...}, {"amount": "required"}),
        ({"amount": -1}, {"amount": "amount_not_positive"}),
        ({"amount": 0}, {"amount": "amount_not_positive"}),
        ({"amount": 1.5}, {"amount": "amount_malformed"}),
        ({"amount": "12800"}, {"amount": "amount_malformed"}),
        ({"amount": 10**30}, {"amount": "amount_too_large"}),
        ({"currency": "XXX"}, {"currency": "currency_unknown"}),
        ({"currency": "USD"}, {"currency": "currency_unsupported"}),
        ({"subject": "茶" * 5000}, {"subject": "too_long"}),
        ({"subject": "a\x00b"}, {"subject": "control_characters"}),
        ({"subject": "a\x1b[31m"}, {"subject": "control_characters"}),
        ({"subject": "tea\u202eaet"}, {"subject": "control_characters"}),
        ({"merchant_order_no": "x" * 65}, {"merchant_order_no": "order_no_malformed"}),
        ({"merchant_order_no": "'; drop table"}, {"merchant_order_no": "order_no_malformed"}),
        ({"methods": ["cash"]}, {"methods": "method_unknown"}),
        ({"return_url": "javascript:alert(1)"}, {"return_url": "url_malformed"}),
        ({"return_url": "https://a@b.example/"}, {"return_url": "url_malformed"}),
        ({"callback_url": "file:///etc/passwd"}, {"callback_url": "url_malformed"}),
        ({"callback_url": "gopher://shop.example/"}, {"callback_url": "url_not_https"}),
        ({"metadata": {"k": "x" * 5000}}, {"metadata": "too_long"}),
        ({"metadata": {"k": "\x00"}}, {"metadata": "control_characters"}),
        ({"expires_in": 1}, {"expires_in": "out_of_range"}),
        (
            {"livemode": True, "id": "pay_mine"},
            {"livemode": "unknown_field", "id": "unknown_field"},
        ),
        ({"amount": -1, "subject": ""}, {"amount": "amount_not_positive", "subject": "required"}),
    ],
)
def test_bad_fields_are_named_and_nothing_is_created(lin, changes, wrong):
    assert field_codes(lin.create(**changes)) == wrong
    assert Payment.objects.count() == 0


def test_a_body_with_thousands_of_wrong_fields_gets_a_short_answer(lin):
    answer = lin.create(**{f"field{n}" + "x" * 200: 1 for n in range(200)})
    assert len(field_codes(answer)) <= 100
    assert len(answer.content) < 32_000


def test_emoji_are_welcome(lin):
    assert lin.create(subject="🍵 茶").json()["subject"] == "🍵 茶"


def test_the_same_order_again_is_the_same_payment(lin):
    first, second = lin.create(), lin.create()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in second.headers


def test_the_same_order_number_for_something_else(lin):
    lin.create()
    refused = lin.create(amount=12801)
    assert code(refused) == (409, "order_no_reused")
    assert "T1" in refused.json()["detail"]
    assert Payment.objects.get().amount_minor == 12800


def test_a_repeat_with_its_idempotency_key(lin):
    first, second = lin.create(key="k-1"), lin.create(key="k-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_an_idempotency_key_for_another_body(lin):
    lin.create(key="k-1")
    assert code(lin.create(key="k-1", amount=1)) == (409, "idempotency_key_reused")
    other = lin.create(key="k-1", merchant_order_no="T2")
    assert code(other) == (409, "idempotency_key_reused")
    assert Payment.objects.count() == 1


def test_a_refused_call_does_not_use_its_idempotency_key_up(lin):
    lin.create()
    assert code(lin.create(key="k-1", amount=1)) == (409, "order_no_reused")
    assert field_codes(lin.create(key="k-1", amount=0)) == {"amount": "amount_not_positive"}
    assert IdempotencyKey.objects.count() == 0
    assert lin.create(key="k-1", merchant_order_no="T2").status_code == 201


@pytest.mark.parametrize("key", ["k" * 129, "clé", "tab\there", "\x7f"])
def test_an_idempotency_key_that_cannot_be_one(lin, key):
    assert code(lin.create(key=key)) == (400, "idempotency_key_malformed")
    assert Payment.objects.count() == 0


def test_the_longest_idempotency_key(lin):
    assert lin.create(key="k" * 128).status_code == 201


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["k-1", ""])
def test_twenty_creates_at_once_make_one_payment(lin, key):
    def create(_: int):
        try:
            return Program(lin.key).create(key=key)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))

    assert {answer.status_code for answer in answers} == ({201} if key else {201, 200})
    assert len({answer.content for answer in answers}) == 1
    fresh = [a for a in answers if a.status_code == 201 and "Idempotent-Replayed" not in a.headers]
    assert len(fresh) == 1
    assert Payment.objects.count() == 1
    assert IdempotencyKey.objects.count() == bool(key)


@pytest.mark.django_db(transaction=True)
def test_one_key_for_twenty_orders_at_once_makes_one_payment(lin):
    def create(number: int):
        try:
            return Program(lin.key).create(key="k-1", merchant_order_no=f"T{number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {code(a) for a in answers if a.status_code == 409} == {(409, "idempotency_key_reused")}
    assert Payment.objects.count() == 1
