"""Two owners and their browsers: Lin asks at a desk, Mei agrees on a phone."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from compliance.audit.actor import SYSTEM
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import Member
from tests.cast import NOON
from tests.compliance.people import code_now, hire
from tests.journeys.browsing import browsing, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("devices", [("desktop", "phone"), ("phone", "desktop")])
def test_lin_asks_and_mei_agrees(live_server, chromium: Browser, devices):
    origin = live_server.url
    tea = register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)
    keys: dict[str, Any] = {}
    for name in ("lin", "mei"):
        person, client = hire(name), Client()
        add_member(merchant_id=tea.pk, user=person.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        person.sign_in(client)
        session = client.cookies["sessionid"].value
        keys[name] = {"name": "sessionid", "value": session, "url": origin}

    with browsing(chromium, origin, device=devices[0]) as (page, watch):
        page.context.add_cookies([keys["lin"]])
        page.goto(f"{origin}/portal/team/")
        page.get_by_role("link", name="Invite somebody").click()
        assert faults_of(page) == []
        page.get_by_label("Name", exact=True).fill("Tao")
        page.get_by_label("User name").fill("tao")
        page.get_by_label("Email address").fill("tao@example.com")
        page.get_by_label("Role").select_option("finance")
        page.get_by_label("Reason").fill("keeps the books")
        page.get_by_role("button", name="Invite").click()
        page.get_by_label("Six-digit code").fill(code_now(steps=1))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Invite somebody to the team").click()
        expect(page.get_by_text("Another owner must agree.")).to_be_visible()
        expect(page.get_by_role("button", name="Agree")).to_have_count(0)
        watch.assert_quiet()
        assert faults_of(page) == []
    assert not Member.objects.filter(user__username="tao").exists()

    with browsing(chromium, origin, device=devices[1]) as (page, watch):
        page.context.add_cookies([keys["mei"]])
        page.goto(f"{origin}/portal/approvals/")
        assert faults_of(page) == []
        page.goto(f"{origin}/portal/approvals/")
        page.get_by_role("link", name="Invite somebody to the team").click()
        expect(page.get_by_text("keeps the books")).to_be_visible()
        page.get_by_role("button", name="Agree").click()
        page.get_by_label("Six-digit code").fill(code_now(steps=1))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Agree").click()
        expect(page.get_by_text("You agreed.")).to_be_visible()
        page.goto(f"{origin}/portal/team/")
        expect(page.get_by_text("Invited")).to_be_visible()
        page.get_by_role("link", name="Change Tao").click()
        expect(page.get_by_role("button", name="Send the invitation again")).to_be_visible()
        watch.assert_quiet()
        assert faults_of(page) == []
    assert Member.objects.get(user__username="tao").role == "finance"
