"""Every refusal has one code, one status, and a sentence in the caller's language."""

import re
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils.translation import override

from merchants import access
from merchants.errors import AccessRefused
from payments.acquiring import asking, pay, queries, repeats
from payments.api import codes, errors, filters, views
from payments.callbacks import queries as event_queries
from payments.callbacks import replay, rules
from payments.errors import Refusal
from tests.payments.api.conftest import code

ROOT = Path(__file__).parents[3]
FOR_PEOPLE = {"merchant_unknown", "merchant_not_chosen", "membership_missing"}
"""What only signed-in people can be told."""


def test_every_refusal_that_the_calls_can_meet_is_in_the_table():
    met = {
        thing.code
        for module in (errors, asking, pay, queries, repeats, event_queries, replay)
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Refusal) and thing is not Refusal
    }
    inside = {"checkout_unknown"}
    assert met - inside <= set(codes.PROBLEMS)


def test_every_way_in_which_access_is_refused_is_in_the_table():
    source = Path(str(access.__file__)).read_text(encoding="utf-8")
    told = set(re.findall(r'AccessRefused\(\s*"(\w+)"', source))
    assert len(told) >= 6
    assert {codes.RENAMED.get(c, c) for c in told - FOR_PEOPLE} <= set(codes.PROBLEMS)


def test_every_code_of_a_field_has_its_sentence():
    used = set()
    for module in (asking, filters):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        used |= set(re.findall(r'_Wrong\(\s*"(\w+)"', source))
        used |= set(re.findall(r'FieldError\([^)]*?"(\w+)"\)', source))
        used |= set(re.findall(r'"(\w+_unknown)"\)', source))
    flaws = Path(str(rules.__file__)).read_text(encoding="utf-8")
    used |= set(re.findall(r'return "(url_\w+)"', flaws))
    assert used == set(codes.FIELD_PROBLEMS)


@pytest.mark.parametrize("path", ["nope", "payment", "payments/", "", "payments/pay_1/refund/x"])
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_an_address_without_a_call(lin, path, method):
    assert code(getattr(lin.client, method)(f"/api/v1/{path}")) == (404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_a_method_that_a_call_does_not_have(lin, method):
    headers = {"authorization": f"Bearer {lin.key}"}
    answer = getattr(lin.client, method)("/api/v1/payments", headers=headers)
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_sentences_follow_the_language_of_the_caller(lin):
    english = lin.get("payments/pay_0")
    chinese = lin.get("payments/pay_0", accept_language="zh-CN,zh;q=0.9")
    other = lin.get("payments/pay_0", accept_language="fr")
    assert english.headers["Content-Language"] == "en"
    assert chinese.headers["Content-Language"] == "zh-hans"
    assert other.headers["Content-Language"] == "en"  # what these tests have as the default
    assert english.json()["code"] == chinese.json()["code"]
    with override("zh-hans"):
        assert chinese.json()["title"] == str(codes.PROBLEMS["payment_not_found"].title)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_sentence_can_be_filled(language):
    with override(language):
        for kind in codes.PROBLEMS.values():
            assert str(kind.detail) % codes.SAMPLE
        for sentence in codes.FIELD_PROBLEMS.values():
            assert str(sentence) % codes.SAMPLE


def test_a_fault_says_nothing_of_itself(lin, monkeypatch, caplog):
    def break_down(_):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(views, "merchant_balances", break_down)
    answer = lin.get("balance")
    assert code(answer) == (500, "internal_error")
    assert b"hunter2" not in answer.content
    assert "RuntimeError: password=hunter2" in caplog.text


def test_a_refusal_that_is_not_in_the_table_is_a_fault(lin, monkeypatch):
    def refuse(_):
        raise AccessRefused("something_new")

    monkeypatch.setattr(views, "merchant_balances", refuse)
    assert code(lin.get("balance")) == (500, "internal_error")


def test_a_database_that_is_gone_is_worth_another_try(lin, monkeypatch):
    def gone(_):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(views, "merchant_balances", gone)
    answer = lin.get("balance")
    assert code(answer) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", ""])
def test_whoever_asks_for_something_else_gets_json(lin, accept):
    answer = lin.get("balance", accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert lin.get("balance", {"format": "xml"}).status_code == 200


@pytest.mark.parametrize("name", ["integrator.md", "integrator.zh-CN.md"])
def test_the_integrators_pages_name_every_code(name):
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    missing = {c for c in [*codes.PROBLEMS, *codes.FIELD_PROBLEMS] if f"`{c}`" not in page}
    assert not missing


def test_an_address_cannot_write_lines_of_its_own_into_the_log(lin, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(views, "get_payment", fail)
    assert code(lin.get("payments/a%0aINFO all is well")) == (500, "internal_error")
    assert "\nINFO all is well" not in caplog.text
