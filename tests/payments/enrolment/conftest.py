"""A shop that was taken on, its desk, and the sandbox's gateways over the wire."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from compliance.identity.models import User
from compliance.protection.vault.files import OpenedFile
from merchants.models import Merchant
from payments.channels import registry
from payments.channels.http import GatewayHttp
from payments.enrolment import pursuing
from tests.channels.conftest import BASE_URL, SandboxTransport, quick_keys
from tests.channels.enrolling import picture
from tests.payments.conftest import forget
from tests.payments.enrolment.scene import approved, connect, desk

__all__ = ["quick_keys"]


@pytest.fixture(autouse=True)
def _real_gateways(_scripted_gateways, settings, monkeypatch):
    settings.GATEWAYS = [
        "payments.channels.alipay.Alipay", "payments.channels.wechatpay.WeChatPay",
        "payments.channels.unionpay.UnionPay",
    ]  # fmt: skip
    settings.BASE_URL, settings.ALLOWED_HOSTS = BASE_URL, ["*"]
    settings.SANDBOX_TIMEOUT_SECONDS = settings.SANDBOX_SLOW_SECONDS = 0
    monkeypatch.setattr(registry, "make_http", lambda: GatewayHttp(transport=SandboxTransport()))
    forget()


@pytest.fixture(autouse=True)
def _papers_open(monkeypatch):
    """Papers of these stories were shelved without their content; all look alike."""

    def opened(row, *, reason, actor, at):
        shown = picture()
        return OpenedFile(row.public_id, row.name, shown.media_type, shown.content)

    monkeypatch.setattr(pursuing, "open_file", opened)


@pytest.fixture
def tea(db) -> Merchant:
    """Lin's shop, taken on, and a channel of each gateway."""
    for gateway in ("wechatpay", "alipay", "unionpay"):
        connect(gateway)
    return approved()


@pytest.fixture
def by(db) -> User:
    """Who looks after merchants."""
    return desk()


@pytest.fixture
def decide(db) -> Callable[..., dict[str, Any]]:
    """The gateway's reviewer decides: decide("wechatpay", row, "reject", licence_copy="...")."""

    def tell(gateway: str, row, decision: str, **fields: str) -> dict[str, Any]:
        body = {"gateway": gateway, "action": "enrolment", "number": row.number,
                "decide": decision, "fields": fields}  # fmt: skip
        return _control(body)

    return tell


@pytest.fixture
def fault(db) -> Callable[..., dict[str, Any]]:
    """The gateway misbehaves on its next call."""
    return lambda gateway, name: _control({"gateway": gateway, "action": "next", "fault": name})


def _control(body: dict[str, Any]) -> dict[str, Any]:
    answer = Client().post("/sandbox/control/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, (answer.content, timezone.now())
    told: dict[str, Any] = answer.json()
    return told
