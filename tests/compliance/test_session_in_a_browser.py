"""A page that nobody touches: it asks a minute before the end, and says so after it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, expect

from compliance.audit.actor import SYSTEM
from compliance.identity.models import BrowserSession
from compliance.identity.sessions import end_other_sessions
from compliance.identity.states import Ending
from tests.compliance.people import hire
from tests.journeys.browsing import browsing, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ALMOST: Any = {"staff": (62, 3600), "portal": (62, 3600)}
"""The page asks two seconds after it was opened."""


@pytest.fixture
def shen(live_server, settings):
    """The cookie of somebody at the desk."""
    settings.SESSION_LIMITS = ALMOST
    client = Client()
    hire("shen", roles=["compliance_officer"]).sign_in(client)
    value = client.cookies["sessionid"].value
    return {"name": "sessionid", "value": value, "url": live_server.url}


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_whoever_is_still_there_stays(live_server, chromium: Browser, shen, device):
    with browsing(chromium, live_server.url, device=device) as (page, watch):
        page.context.add_cookies([shen])
        page.goto(f"{live_server.url}/compliance/")
        asked = page.get_by_role("dialog", name="Are you still there?")
        expect(asked).to_be_visible()
        before = BrowserSession.objects.get().seen_at
        BrowserSession.objects.update(seen_at=before - timedelta(seconds=40))
        page.get_by_role("button", name="Stay signed in").click()
        expect(asked).to_be_hidden()
        assert BrowserSession.objects.get().seen_at >= before
        watch.assert_quiet()
        assert faults_of(page) == []


def test_whoever_was_signed_out_meanwhile_is_led_to_the_sign_in(
    live_server, chromium: Browser, shen
):
    with browsing(chromium, live_server.url) as (page, watch):
        page.context.add_cookies([shen])
        page.goto(f"{live_server.url}/compliance/")
        row = BrowserSession.objects.get()
        end_other_sessions(
            user=row.user, key="another", why=Ending.BY_OWNER, actor=SYSTEM, at=timezone.now(),
        )  # fmt: skip
        expect(page.get_by_role("dialog", name="Are you still there?")).to_be_visible()
        page.get_by_role("button", name="Stay signed in").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_text("Ended from another browser")).to_be_visible()
        watch.assert_quiet()
