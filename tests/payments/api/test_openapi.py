"""The OpenAPI document is true: it is valid, its examples fit, and so do real answers."""

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from payments.acquiring.models import Refund
from payments.acquiring.notifications import receive
from payments.api import codes, reading
from payments.api.openapi import openapi
from payments.api.operations import EVERYWHERE, IN_ORDER, PROBLEM_JSON
from payments.api.urls import urlpatterns
from payments.callbacks.models import Event, EventType
from payments.callbacks.signing import body_of
from payments.times import time_text
from paysite import settings as platform_settings
from tests.cast import choose, order
from tests.payments.api.conftest import TEA
from tests.payments.conftest import forget
from tests.scripted import script_of

REFUND = {"merchant_refund_no": "R1", "amount": 2800, "reason": "少了一罐"}


@pytest.fixture
def document() -> dict[str, Any]:
    return openapi("en")


def check(document: dict[str, Any], schema: Any, value: Any) -> None:
    """Raise unless the value fits, with no member that the document does not know."""
    closed = json.loads(json.dumps(document["components"]))
    for shape in closed["schemas"].values():
        if "properties" in shape:  # A choice between shapes has none of its own.
            shape["additionalProperties"] = False
    whole = {**schema, "components": closed}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def operations(document: dict[str, Any]):
    for paths in (document["paths"], document["webhooks"]):
        for path, methods in paths.items():
            for method, operation in methods.items():
                yield path, method, operation


def sell(shop):
    payment = order(shop)
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    return payment


def test_the_document_is_made_without_a_warning_and_is_valid(document):
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_the_document_knows_every_call(document):
    routes = {
        "/api/v1/" + str(p.pattern).replace("<number:", "{").replace(">", "}")
        for p in urlpatterns
        if p.name not in {"schema", "no-such-call"}
    }
    assert set(document["paths"]) == routes
    assert set(document["webhooks"]) == set(EventType.values)


def test_the_page_knows_the_place_of_every_call(document):
    ids = {operation["operationId"] for path, _, operation in operations(document) if "/" in path}
    assert set(IN_ORDER) == ids
    assert [call.id for call in reading.calls(document)] == list(IN_ORDER)


def test_every_call_wants_a_key(document):
    scheme = document["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, _, operation in operations(document):
        wants_key = operation.get("security") == [{"ApiKey": []}]
        assert wants_key == path.startswith("/api/"), path


def test_every_example_fits_its_schema(settings):
    settings.GATEWAYS = platform_settings.GATEWAYS
    forget()
    document = openapi("en")
    seen = 0
    for _, _, operation in operations(document):
        for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in part.get("content", {}).values():
                for example in content["examples"].values():
                    check(document, content["schema"], example["value"])
                    seen += 1
    assert seen > 60


def test_every_code_is_told_of_by_some_call(document):
    told = {"not_found", "method_not_allowed"}
    for path, _, operation in operations(document):
        own = {
            example["value"]["code"]
            for answer in operation["responses"].values()
            for example in answer.get("content", {})
            .get(PROBLEM_JSON, {})
            .get("examples", {})
            .values()
        }
        assert own >= set(EVERYWHERE) or not path.startswith("/api/")
        told |= own
    assert told == set(codes.PROBLEMS)


def test_real_answers_fit_the_document(document, lin, tea):
    payment = sell(tea)
    event = Event.objects.get().public_id
    closing = order(tea, "T2")
    created = lin.create(merchant_order_no="T3", metadata={"a": [1]})
    answers = {
        ("/api/v1/payments", "post"): [
            created, lin.create(merchant_order_no="T3", metadata={"a": [1]}), lin.create(amount=0),
            lin.post("payments", b"{"), lin.create(merchant_order_no="T2"),
            lin.post("payments", b"{}", content_type="text/plain"),
        ],
        ("/api/v1/payments", "get"): [lin.get("payments"), lin.get("payments", {"limit": "x"})],
        ("/api/v1/payments/{payment}", "get"): [
            lin.get(f"payments/{payment.id}"), lin.get(f"payments/{closing.id}"),
            lin.get("payments/pay_0"), lin.client.get("/api/v1/payments/pay_0"),
        ],
        ("/api/v1/payments/{payment}/close", "post"): [
            lin.post(f"payments/{closing.id}/close"), lin.post(f"payments/{payment.id}/close"),
        ],
        ("/api/v1/payments/{payment}/refunds", "post"): [
            lin.post(f"payments/{payment.id}/refunds", REFUND),
            lin.post(f"payments/{payment.id}/refunds", REFUND),
            lin.post(f"payments/{payment.id}/refunds", {**REFUND, "amount": 1}),
            lin.post(f"payments/{payment.id}/refunds", {}),
            lin.post(f"payments/{closing.id}/refunds", {**REFUND, "merchant_refund_no": "R2"}),
        ],
        ("/api/v1/refunds", "get"): [lin.get("refunds"), lin.get("refunds", {"status": "x"})],
        ("/api/v1/refunds/{refund}", "get"): [
            lin.get(f"refunds/{Refund.objects.get().public_id}"), lin.get("refunds/ref_0"),
        ],
        ("/api/v1/balance", "get"): [lin.get("balance")],
        ("/api/v1/events", "get"): [lin.get("events")],
        ("/api/v1/events/{event}", "get"): [lin.get(f"events/{event}"), lin.get("events/evt_0")],
        ("/api/v1/events/{event}/replay", "post"): [lin.post(f"events/{event}/replay")],
    }  # fmt: skip
    assert {path for path, _ in answers} == set(document["paths"])
    for (path, method), given in answers.items():
        responses = document["paths"][path][method]["responses"]
        for answer in given:
            told = responses[str(answer.status_code)]["content"]
            content = told[answer.headers["content-type"]]
            check(document, content["schema"], answer.json())


def test_a_real_callback_fits_the_document(document, tea):
    sell(tea)
    event = Event.objects.get()
    body = body_of(
        event=event.public_id, kind=event.type, created_at=time_text(event.created_at),
        data=event.data,
    )  # fmt: skip
    operation = document["webhooks"]["payment.paid"]["post"]
    check(
        document,
        operation["requestBody"]["content"]["application/json"]["schema"],
        json.loads(body),
    )


def test_what_the_document_refuses_the_call_refuses(document, lin):
    schema = {"$ref": "#/components/schemas/PaymentAsk"}
    for changes in (
        {"amount": 0}, {"amount": ...}, {"currency": "USD"}, {"subject": "x" * 257},
        {"merchant_order_no": "a b"}, {"expires_in": 1}, {"methods": ["cash"]},
    ):  # fmt: skip
        asked = {**TEA, **changes}
        asked = {name: value for name, value in asked.items() if value is not ...}
        with pytest.raises(ValidationError):
            check(document, schema, asked)
        assert lin.create(**changes).status_code == 400


def test_anybody_may_read_the_document():
    answer = Client().get("/api/v1/schema/", headers={"accept-language": "en"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["info"]["title"] == "Paysite API"


def test_the_page_for_people_tells_of_every_call_and_code(document):
    page = Client().get("/api/docs/", headers={"accept-language": "en"}).content.decode()
    for path, _, operation in operations(document):
        assert f"<code>{path}</code>" in page
        assert f'id="{operation["operationId"]}"' in page
    for code in codes.PROBLEMS:
        assert f'id="{code}"' in page
    for code in codes.FIELD_PROBLEMS:
        assert f'id="field-{code}"' in page
    for shape in document["components"]["schemas"]:
        assert f'id="object-{shape}"' in page
    assert "standardwebhooks" in page
    assert "style=" not in page
    assert "<script>" not in page


def test_the_page_speaks_chinese(document):
    answer = Client().get("/api/docs/", headers={"accept-language": "zh-CN"})
    assert answer.status_code == 200
    assert '<html lang="zh-hans">' in answer.content.decode()
