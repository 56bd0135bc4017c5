"""Browsers that watch themselves: what they were refused, whom they asked, how much came."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
IPHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)
DEVICES: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1366, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "user_agent": IPHONE,
    },
}
LOCALES: Final = {"zh-hans": "zh-CN", "en": "en-US"}
PATIENCE_MS: Final = 20_000
"""How long a page may take to become what a story waits for: the machine has other things to do."""
SHOTS: Final = os.environ.get("SCREENSHOTS", "")
"""A folder where each scene is kept for a person to look at."""

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Watch:
    """What one browser context did that a page of ours must never make it do."""

    origin: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Listen from now on."""
        context.on("console", lambda said: self.hear(said.type, said.text, said.location))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", lambda request: self.see(request.url))

    def hear(self, kind: str, text: str, place: Any) -> None:
        """Errors and warnings, refusals by the content security policy among them."""
        if kind in {"error", "warning"}:
            self.complaints.append(f"{text} ({place['url']})")

    def see(self, url: str) -> None:
        """A request to anybody else."""
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.strangers.append(url)

    def assert_quiet(self) -> None:
        """Nothing to complain about, nobody else asked."""
        assert self.complaints == []
        assert self.strangers == []


@contextmanager
def browsing(
    chromium: Browser, origin: str, *, device: str = "desktop", language: str = "en", **more: Any
) -> Iterator[tuple[Page, Watch]]:
    """A fresh customer: an empty browser on a device, in a language."""
    context = chromium.new_context(**DEVICES[device], locale=LOCALES[language], **more)
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch(origin)
    watch.over(context)
    try:
        yield context.new_page(), watch
    finally:
        context.close()


def faults_of(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than its window. The page has come first."""
    page.wait_for_load_state()
    # Without the style sheets that axe would fetch a second time: it asks for what they import at
    # the page's own address, where nothing is.
    options = {"runOnly": RULES, "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    faults = [
        f"{fault['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for fault in found
        for node in fault["nodes"][:1]
    ]
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*faults, "scrolls sideways"] if is_wide else faults


def keep(page: Page, name: str) -> None:
    """Keep a picture, when somebody wants to look."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
