"""One real platform for all journeys, a merchant's program beside it, and a Chromium.

JOURNEYS_DATA_DIR names a demo platform that runs already, for a programmer who is in a hurry;
SCREENSHOTS names a folder for pictures.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.leaks import leaks
from tests.journeys.running import Platform
from tests.journeys.shop import Receiver, Shop, heal


@pytest.fixture(scope="session")
def platform(tmp_path_factory) -> Iterator[Platform]:
    """Started once, as `make run` does it. At the end nothing secret lies about."""
    if given := os.environ.get("JOURNEYS_DATA_DIR"):
        running = Platform(Path(given))
        running.port = int(running.url.rpartition(":")[2])
        yield running
        return
    running = Platform(tmp_path_factory.mktemp("journeys") / "data")
    try:
        running.start()
        yield running
        assert leaks(running) == []
    finally:
        running.stop()


@pytest.fixture(scope="session")
def receiver(platform) -> Iterator[Receiver]:
    """The shop's own web server."""
    server = Receiver(platform.demo["merchant"]["callback_secret"])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(platform, receiver) -> Iterator[Shop]:
    """The shop's program."""
    key = platform.demo["merchant"]["api_key"]
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
    with httpx.Client(
        base_url=platform.url, headers=headers, timeout=30, trust_env=False
    ) as client:
        opened = Shop(platform, receiver, client)
        heal(platform)
        yield opened
        opened.clear()
