"""Stories of payments play against scripted gateways; the wire is tested in tests/channels."""

import pytest

from payments.acquiring import notifications, soundness
from payments.channels import registry
from payments.ledger import chart, checks
from payments.routing import health
from tests import scripted
from tests.cast import Shop, connect_scripted, open_shop


@pytest.fixture(autouse=True)
def _scripted_gateways(settings):
    settings.GATEWAYS = ["tests.scripted.First", "tests.scripted.Second"]
    forget()
    yield
    forget()


def forget() -> None:
    """Drop what the process remembers of an earlier database."""
    registry.forget()
    health.forget()
    registry.dialects.cache_clear()
    registry.methods.cache_clear()
    chart.forget()
    notifications._kept_at.clear()
    scripted.SCRIPTS.clear()


@pytest.fixture
def tea(db) -> Shop:
    """Lin's tea shop, with both channels connected."""
    connect_scripted()
    return open_shop("茗山茶业", callback_url="https://tea.example/callbacks")


@pytest.fixture
def books(tea) -> Shop:
    """Yun's bookshop, on the same platform."""
    return open_shop("云间书店")


@pytest.fixture
def sound():
    """Ask at the end of a story whether every fen is accounted for."""

    def ask() -> None:
        assert [*checks.breaks(), *soundness.breaks()] == []

    return ask
