"""Lin confirms her shop's data on a phone, and a reviewer reads what has changed at a desk."""

import pytest
from django.test import Client
from django.utils.translation import override
from playwright.sync_api import Browser, Page, expect

from compliance.audit.actor import SYSTEM
from compliance.identity.devices import add_device
from compliance.identity.models import User
from merchants.models import Renewal
from merchants.onboarding.words import TITLES
from tests.cast import NOON
from tests.compliance.people import SECRET, Person, hire
from tests.journeys.browsing import browsing, faults_of
from tests.merchants.applying import apply, fill, hand_in, judge_all, person_of
from tests.merchants.test_confirming import CONFIRM, SECTIONS
from tests.merchants.test_onboarding import agree, suggest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def come_in(page: Page, user: User, origin: str) -> None:
    client = Client()
    Person(user).sign_in(client)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])


def test_section_by_section(live_server, chromium: Browser):
    origin, lin = live_server.url, apply()
    reviewer = hire("reviewer", roles=["operator"]).user
    fill(lin)
    row = hand_in(lin)
    judge_all(row, reviewer)
    agree(suggest(row, reviewer), hire("checker", roles=["operator_checker"]).user)
    owner = person_of(lin)
    add_device(user=owner, secret=SECRET, actor=SYSTEM, at=NOON)

    with browsing(chromium, origin, device="phone") as (page, watch):
        come_in(page, owner, origin)
        page.goto(f"{origin}/portal/papers/")
        assert faults_of(page) == []
        page.get_by_role("link", name="Confirm the data").click()
        assert faults_of(page) == []
        with override("en"):
            titles = {section: str(TITLES[section]) for section in SECTIONS}
        for section, title in titles.items():
            group = page.get_by_role("group", name=title)
            choice = "Something has changed" if section == "licence" else "All of it still holds"
            group.get_by_label(choice).check()
        page.get_by_label("What has changed").nth(1).fill("We moved next door.")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Your word is with our reviewers.")).to_be_visible()
        assert not page.url.endswith(CONFIRM)
        assert faults_of(page) == []
        watch.assert_quiet()

    with browsing(chromium, origin, device="desktop") as (page, watch):
        come_in(page, reviewer, origin)
        page.goto(f"{origin}/admin/merchants/renewal/{Renewal.objects.get().pk}/change/")
        expect(page.get_by_text("We moved next door.")).to_be_visible()
        assert faults_of(page) == []
        page.get_by_role("button", name="Accept").click()
        page.wait_for_url("**/change/")
        watch.assert_quiet()
    assert Renewal.objects.get().state == "accepted"
