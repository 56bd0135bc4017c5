"""Two people and their browsers: one asks at a desk, the other agrees on a phone."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from compliance.identity.roles import roles_of
from compliance.identity.states import StaffRole
from tests.compliance.people import code_now, hire
from tests.journeys.browsing import browsing, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def keys_of(username: str, role: str, origin: str) -> Any:
    """What a browser keeps of somebody who has signed in with both factors."""
    client = Client()
    hire(username, roles=[role]).sign_in(client)
    session = client.cookies["sessionid"].value
    return {"name": "sessionid", "value": session, "url": origin}


def test_wei_asks_and_he_agrees(live_server, chromium: Browser):
    yun = hire("yun").user
    origin = live_server.url
    wei, he = (
        keys_of("wei", "administrator", origin), keys_of("he", "compliance_approver", origin),
    )  # fmt: skip

    with browsing(chromium, origin) as (page, watch):
        page.context.add_cookies([wei])
        page.goto(f"{origin}/admin/compliance/user/{yun.pk}/change/")
        page.get_by_role("link", name="Change roles").click()
        page.get_by_label("Change").select_option(label="Give: Operator")
        page.get_by_label("Reason").fill("joins the team")
        assert faults_of(page) == []
        page.get_by_role("button", name="Ask for it").click()
        expect(page.get_by_role("button", name="Take back")).to_be_visible()
        expect(page.get_by_role("button", name="Agree")).to_have_count(0)
        watch.assert_quiet()
    assert roles_of(yun) == frozenset()

    with browsing(chromium, origin, device="phone") as (page, watch):
        page.context.add_cookies([he])
        page.goto(f"{origin}/admin/compliance/approval/?show=mine")
        page.locator("#result_list tbody th a").click()
        expect(page.get_by_text("joins the team")).to_be_visible()
        page.get_by_role("button", name="Agree").click()
        expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
        assert faults_of(page) == []
        page.get_by_label("Six-digit code").fill(code_now(steps=1))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Agree").click()
        expect(page.get_by_text("You agreed.")).to_be_visible()
        watch.assert_quiet()
        # Last: in looking for faults it loads style sheets by addresses that do not exist.
        assert faults_of(page) == []
    assert set(roles_of(yun)) == {StaffRole.OPERATOR}
