"""What all tests share: how hard properties are tried, one browser, keys parsed once."""

import os
from collections.abc import Generator, Iterator
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings as django_settings
from django.core.cache import caches
from django.utils import translation
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from compliance import limits
from payments.channels import signing
from tests.append_only import allow_emptying
from tests.chromium import CHROMIUM, FLAGS

allow_emptying()

settings.register_profile(
    "quick", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "quick"))


@pytest.fixture(scope="session", autouse=True)
def keys_are_parsed_once() -> Iterator[None]:
    """Stories share a few private keys, and parsing one takes longer than most stories."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "load_pem_private_key", cache(load_pem_private_key))
        yield


@pytest.fixture(autouse=True)
def _nobody_has_tried_anything() -> None:
    """Each story starts with all its tries."""
    limits.forget()
    caches["default"].clear()


@pytest.fixture(autouse=True)
def _nobody_has_chosen_a_language() -> None:
    """Each story begins in the platform's own language, whatever the last page was asked in."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_head_was_noted() -> Iterator[None]:
    """Each story begins its own chain."""
    yield
    django_settings.AUDIT_ANCHOR_FILE.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the session; each story opens its own context.

    One for all folders, too: a process can hold Playwright's loop only once.
    """
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class JourneysTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """All journeys share one platform, and some kill parts of it: one process runs them, from the
    beginning. Every other test goes to whichever process is free.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "journeys" if nodeid.startswith("tests/journeys/") else nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test wrote is sent between processes, which takes no half characters; some stories
    write them on purpose.
    """
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Asked by xdist when tests are spread over processes."""
    return JourneysTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that commit have the whole database emptied behind them: they are slow ones."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        marker = item.get_closest_marker("django_db")
        commits = marker is not None and marker.kwargs.get("transaction", False)
        if commits or "transactional_db" in fixtures or "live_server" in fixtures:
            item.add_marker("slow")
