"""A shop on scripted gateways for stories about the whole house."""

from collections.abc import Iterator

import pytest

from payments.channels import registry
from payments.ledger import chart
from tests.cast import Shop, connect_scripted, open_shop


@pytest.fixture
def tea(settings) -> Iterator[Shop]:
    settings.GATEWAYS = ["tests.scripted.First", "tests.scripted.Second"]
    forget()
    connect_scripted()
    yield open_shop("茗山茶业", callback_url="https://tea.example/callbacks")
    forget()


def forget() -> None:
    """Drop what the process remembers of an earlier database."""
    chart.forget()
    registry.forget()
    registry.dialects.cache_clear()
    registry.methods.cache_clear()
