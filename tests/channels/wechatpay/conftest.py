"""What the stories about WeChat Pay start from."""

from functools import cache as remembered

import pytest
import time_machine
from django.utils import timezone

from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import SandboxGateway
from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.signing import private_key
from payments.channels.wechatpay import dialect
from payments.channels.wechatpay.gateway import WeChatPayGateway
from tests.channels.conftest import SandboxTransport
from tests.channels.wechatpay.scene import BASE_URL, NOW, Keys, connect, credentials


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One merchant's and the gateway's keys, made when the stories begin."""
    with time_machine.travel(NOW):
        return SPEAKER.make_keys()


@pytest.fixture(scope="session")
def other_keys() -> Keys:
    """Keys of the same names that belong to a stranger."""
    with time_machine.travel(NOW):
        return SPEAKER.make_keys()


_private_key = remembered(private_key)


@pytest.fixture(autouse=True)
def parse_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A private key is checked while it is parsed, which is slow; the stories share a few keys."""
    monkeypatch.setattr(dialect, "private_key", _private_key)


@pytest.fixture
def gateway(keys: Keys) -> WeChatPayGateway:
    """Connected, with no network behind it."""
    return connect(credentials(keys))


@pytest.fixture
def known_keys(db: None, keys: Keys) -> None:
    """The sandbox holds the keys that the stories know."""
    SandboxGateway.objects.create(gateway=SPEAKER.name, keys=dict(keys))


@pytest.fixture
def shop(known_keys: None) -> WeChatPayGateway:
    """A merchant of the sandbox, connected with what the sandbox hands out."""
    given = SPEAKER.credentials(keys_of(SPEAKER))
    return connect(given, SandboxTransport(), base_url=BASE_URL, clock=timezone.now)
