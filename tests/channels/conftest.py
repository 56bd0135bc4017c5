"""The dialects against the sandbox, in one process and without a network."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client

from payments.channels.http import GatewayHttp
from payments.channels.sandbox import keyring
from payments.channels.sandbox.faults import NEVER_ANSWERED
from payments.channels.sandbox.notifier import strangers_keys
from tests.append_only import allow_emptying

BASE_URL = "http://sandbox.test"

allow_emptying()


class SandboxTransport(httpx.BaseTransport):
    """Answers calls with the platform's own views; an answer that never comes is a time-out."""

    def __init__(self) -> None:
        self._inner = httpx.WSGITransport(app=get_wsgi_application())
        self.sent: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        with same_connection():
            response = self._inner.handle_request(request)
            content = response.read()
            response.close()
        if NEVER_ANSWERED in response.headers:
            raise httpx.ReadTimeout("never answered", request=request)
        return httpx.Response(response.status_code, headers=response.headers, content=content)


@contextmanager
def same_connection() -> Iterator[None]:
    """Requests run inside the test's transaction, whose connection they must not close."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@cache
def _pair(number: int) -> tuple[str, str]:
    return _real_new_pair()


_real_new_pair = keyring.new_pair


@pytest.fixture(autouse=True)
def sandbox_settings(settings: Any) -> None:
    """Mount the sandbox, and let its clocks run out at once."""
    settings.ROOT_URLCONF = "tests.channels.urls"
    settings.BASE_URL = BASE_URL
    settings.ALLOWED_HOSTS = ["*"]
    settings.LANGUAGE_CODE = "en"
    settings.SANDBOX_TIMEOUT_SECONDS = 0
    settings.SANDBOX_SLOW_SECONDS = 0


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key pairs differ within a test and are shared between tests, because making them is slow."""
    counter = iter(range(1000))
    monkeypatch.setattr(keyring, "new_pair", lambda: _pair(next(counter)))
    strangers_keys.cache_clear()


@pytest.fixture
def transport(db: None) -> SandboxTransport:
    """The way to the sandbox; `sent` holds what went over it."""
    return SandboxTransport()


@pytest.fixture
def gateway_http(transport: SandboxTransport) -> GatewayHttp:
    """The platform's client, connected to the sandbox."""
    return GatewayHttp(transport=transport)


@pytest.fixture
def control(db: None) -> Callable[..., dict[str, Any]]:
    """Tell the sandbox what to do: control("alipay", "pay", payment="pay_1")."""
    browser = Client()

    def tell(gateway: str, action: str, *, status: int = 200, **more: object) -> dict[str, Any]:
        body = json.dumps({"gateway": gateway, "action": action, **more})
        answer = browser.post("/sandbox/control/", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        told: dict[str, Any] = answer.json()
        return told

    return tell
