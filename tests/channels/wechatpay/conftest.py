"""What the stories about WeChat Pay start from."""

import pytest

from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.wechatpay.gateway import WeChatPayGateway
from tests.channels.wechatpay.scene import Keys, connect, credentials


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One merchant's and the gateway's keys."""
    return SPEAKER.make_keys()


@pytest.fixture(scope="session")
def other_keys() -> Keys:
    """Keys of the same names that belong to a stranger."""
    return SPEAKER.make_keys()


@pytest.fixture
def gateway(keys: Keys) -> WeChatPayGateway:
    """Connected, with no network behind it."""
    return connect(credentials(keys))
