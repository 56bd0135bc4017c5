"""What the stories about UnionPay start from."""

import pytest

from payments.channels.sandbox.unionpay import SPEAKER
from payments.channels.unionpay.gateway import UnionPayGateway
from tests.channels.unionpay.scene import Keys, connect


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One merchant's and the gateway's keys, under one chain."""
    return SPEAKER.make_keys()


@pytest.fixture(scope="session")
def other_keys() -> Keys:
    """The same names under a stranger's chain."""
    return SPEAKER.make_keys()


@pytest.fixture
def gateway(keys: Keys) -> UnionPayGateway:
    """Connected, with no network behind it."""
    return connect(keys)
