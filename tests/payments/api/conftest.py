"""Programs of merchants, calling the REST face as they would over HTTP."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from payments.api import docs, openapi
from tests.cast import Shop

TEA = {"merchant_order_no": "T1", "amount": 12800, "currency": "CNY", "subject": "明前龙井"}


@dataclass
class Program:
    """A merchant's program with its key; speaks English unless told otherwise."""

    key: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"authorization": f"Bearer {self.key}", "accept-language": "en", **named}

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str):
        return self.client.get(f"/api/v1/{path}", query or {}, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, *, content_type="application/json", **headers: str):
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return self.client.post(
            f"/api/v1/{path}", raw, content_type=content_type, headers=self._headers(headers)
        )

    def create(self, *, key: str = "", **changes: Any):
        headers = {"idempotency_key": key} if key else {}
        asked = {name: value for name, value in {**TEA, **changes}.items() if value is not ...}
        return self.post("payments", asked, **headers)


def code(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal, which is a well-formed problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) >= {"type", "title", "status", "detail", "code"}
    assert told["status"] == answer.status_code
    assert told["type"].endswith(f"/api/docs/#{told['code']}")
    assert "%(" not in told["detail"]
    return answer.status_code, told["code"]


def field_codes(answer: Any) -> dict[str, str]:
    """What is wrong with which field."""
    assert code(answer) == (400, "validation_failed")
    assert all(error["detail"] for error in answer.json()["errors"])
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


@pytest.fixture(autouse=True)
def _faces(settings):
    settings.ROOT_URLCONF = "tests.payments.api.urls"
    settings.LANGUAGE_CODE = "en"
    openapi._text.cache_clear()
    docs._context.cache_clear()
    yield
    openapi._text.cache_clear()
    docs._context.cache_clear()


@pytest.fixture
def lin(tea: Shop) -> Program:
    """The program of the tea shop."""
    return Program(tea.api_key)


@pytest.fixture
def yun(books: Shop) -> Program:
    """The program of the bookshop."""
    return Program(books.api_key)
