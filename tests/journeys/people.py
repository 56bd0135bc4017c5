"""The demo's people in front of their browsers: they sign in, confirm, and look at every page."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils import translation
from django_otp.oath import TOTP
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys.browsing import Watch, browsing, faults_of, keep
from tests.journeys.running import Platform

HALF_A_MINUTE_PASSES: Final = """
UPDATE compliance_authenticator
   SET last_step = -1, throttling_failure_count = 0, throttling_failure_timestamp = NULL
 WHERE user_id = (SELECT id FROM compliance_user WHERE username = :'username');
"""

DOOR: Final = frozenset({"/signin/", "/signin/code/"})
"""Looked at by everybody in `test_pages`."""
NUMBER: Final = re.compile(r"[a-z]{3}_[0-9a-z]+|\d+")


def kind_of(address: str) -> str:
    """Pages that differ only by the thing they are about are one kind of page."""
    return NUMBER.sub("*", urlsplit(address).path)


def said(words: str, language: str, *, context: str = "") -> str:
    """As a page says it in a language."""
    with translation.override(language):
        if context:
            return translation.pgettext(context, words)
        return translation.gettext(words)


def code_of(platform: Platform, role: str) -> str:
    """What the authenticator shows now; as if half a minute had passed since the last one."""
    person = platform.demo["users"][role]
    platform.ask(HALF_A_MINUTE_PASSES, username=person["username"])
    code = TOTP(base64.b32decode(person["totp_secret"]))
    return f"{code.token():06d}"


@dataclass
class Visit:
    """One person at one device. Whoever leaves must have looked at every page they were on."""

    platform: Platform
    page: Page
    watch: Watch
    role: str
    device: str
    language: str
    faults: dict[str, list[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    looked: set[str] = field(default_factory=lambda: set(DOOR))
    names: set[str] = field(default_factory=set)

    @property
    def person(self) -> dict[str, str]:
        """What demo.json tells about the person."""
        known: dict[str, str] = self.platform.demo["users"][self.role]
        return known

    def say(self, words: str, *, context: str = "") -> str:
        """A page's words in this person's language."""
        return said(words, self.language, context=context)

    def go(self, path: str) -> None:
        """Open a page of the platform."""
        answer = self.page.goto(self.platform.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"

    def look(self, name: str) -> None:
        """Look at the page as it stands once it is whole, with axe beside."""
        self.page.wait_for_load_state()
        self.names.add(name)
        self.looked.add(kind_of(self.page.url))
        keep(self.page, f"{self.role}-{name}-{self.device}-{self.language}")
        if found := faults_of(self.page):
            self.faults[name] = found

    def arrive(self, page: Page) -> None:
        """Called by the browser at each page."""
        self.seen.add(kind_of(page.url))

    def press(self, words: str, *, context: str = "", within: Locator | None = None) -> None:
        """Press the button with just these words."""
        place = within or self.page
        place.get_by_role("button", name=self.say(words, context=context), exact=True).click()

    def follow(self, words: str) -> None:
        """Follow the first link with just these words."""
        self.page.get_by_role("link", name=self.say(words), exact=True).first.click()

    def fill(self, label: str, text: str, *, within: Locator | None = None) -> None:
        """Type into the field with just this label."""
        (within or self.page).get_by_label(self.say(label), exact=True).fill(text)

    def reads(self, words: str, *, context: str = "") -> None:
        """Wait until the person can read these words."""
        told = self.page.get_by_text(self.say(words, context=context)).first
        expect(told).to_be_visible()

    def sign_in(self, path: str) -> None:
        """Password, then a code, to the page that was asked for."""
        self.page.goto(self.platform.url + path)
        self.fill("User name", self.person["username"])
        self.fill("Password", self.person["password"])
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/signin/code/**")
        self.fill("Six-digit code", code_of(self.platform, self.role))
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"**{path}")

    def confirm(self, title: str) -> None:
        """Show the second factor for a deed, and do it."""
        self.page.wait_for_url("**/confirm/**")
        expect(self.page.get_by_role("heading", level=2)).to_have_text(self.say(title))
        self.look_first("confirm")
        self.fill("Six-digit code", code_of(self.platform, self.role))
        self.press("Continue")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say("Ready"))
        self.look_first("ready")
        self.press(title)

    def look_first(self, name: str) -> None:
        """Look at a page that comes often, the first time."""
        if name not in self.names:
            self.look(name)

    def assert_fine(self) -> None:
        """Every page was looked at and can be used by all, and the browser had no complaint."""
        passed_by = self.seen - self.looked
        assert not passed_by, passed_by
        assert not self.faults, self.faults
        self.watch.assert_quiet()


@contextmanager
def visit(
    platform: Platform, chromium: Browser, role: str, path: str, *, device: str, language: str,
    **more: Any,
) -> Iterator[Visit]:  # fmt: skip
    """A person of the demo signs in on a device, works, and leaves."""
    with browsing(chromium, platform.url, device=device, language=language, **more) as (
        page, watch,
    ):  # fmt: skip
        visitor = Visit(platform, page, watch, role, device, language)
        page.on("domcontentloaded", visitor.arrive)
        visitor.sign_in(path)
        yield visitor
        visitor.assert_fine()
