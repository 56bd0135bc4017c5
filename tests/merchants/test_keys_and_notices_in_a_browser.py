"""Lin's keys, notices and account in a browser, at a desk and on a small phone."""

from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, expect

from compliance.audit.actor import SYSTEM
from compliance.identity.letters import write_letter
from compliance.identity.models import User
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import ApiKey, Merchant
from tests.cast import NOON
from tests.compliance.people import Person, code_now, hire
from tests.journeys.browsing import browsing, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW: Final[ViewportSize] = {"width": 360, "height": 740}


def lin_of(tea: Merchant) -> Person:
    lin = hire("lin")
    add_member(merchant_id=tea.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return lin


def cookie_of(person: Person, origin: str) -> Any:
    client = Client()
    person.sign_in(client)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": origin}


def confirm(page: Page, button: str) -> None:
    page.get_by_label("Six-digit code").fill(code_now(steps=1))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_lin_gives_a_key_a_new_secret_and_hears_of_it(live_server, chromium: Browser, device):
    origin = live_server.url
    tea = register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)
    create_api_key(
        merchant_id=tea.pk, livemode=False, label="The shop", scopes=["payments.read"],
        allowed_from=["203.0.113.0/24", "2001:db8:1234:5678::/64"], actor=SYSTEM, at=NOON,
        ends_at=timezone.now() + timedelta(days=90),
    )  # fmt: skip
    with browsing(chromium, origin, device=device) as (page, watch):
        if device == "phone":
            page.set_viewport_size(NARROW)
        page.context.add_cookies([cookie_of(lin_of(tea), origin)])
        page.goto(f"{origin}/portal/keys/")
        assert faults_of(page) == []
        page.get_by_role("link", name="Manage").click()
        assert faults_of(page) == []
        page.get_by_role("button", name="Make a new secret").click()
        confirm(page, "Give an API key a new secret")
        expect(page.get_by_text("Copy the secret now.")).to_be_visible()
        assert faults_of(page) == []
        page.get_by_role("link", name="I have copied it").click()
        expect(page.get_by_text("Old secret, until")).to_be_visible()
        assert faults_of(page) == []
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="End it now").click()
        expect(page.get_by_text("Requests with it are refused")).to_be_visible()
        page.get_by_role("link", name="Manage").click()
        page.get_by_label("Why?").select_option("unused")
        page.get_by_role("button", name="Revoke the key").click()
        expect(page.get_by_text("Not used any more")).to_be_visible()

        page.get_by_role("link", name="Notices").click()
        assert faults_of(page) == []
        page.get_by_role("button", name="Look at it").click()
        assert page.url.endswith("/portal/keys/")
        page.goto(f"{origin}/portal/notices/?show=unread")
        expect(page.get_by_text("Nothing unread")).to_be_visible()
        assert faults_of(page) == []
        watch.assert_quiet()
    assert list(ApiKey.objects.order_by("pk").values_list("revoked_for", flat=True)) == [
        "", "unused",
    ]  # fmt: skip


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_lin_moves_to_berlin_and_wants_fewer_letters(live_server, chromium: Browser, device):
    origin = live_server.url
    lin = lin_of(register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON))
    with browsing(chromium, origin, device=device) as (page, watch):
        if device == "phone":
            page.set_viewport_size(NARROW)
        page.context.add_cookies([cookie_of(lin, origin)])
        page.goto(f"{origin}/portal/")
        page.get_by_role("link", name="My account").click()
        assert faults_of(page) == []
        page.get_by_role("link", name="Change the profile").click()
        assert faults_of(page) == []
        page.get_by_label("Time zone").select_option("Europe/Berlin")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Europe/Berlin")).to_be_visible()
        page.get_by_role("link", name="What comes by e-mail").click()
        assert faults_of(page) == []
        page.get_by_label("A paper runs out").uncheck()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Change the e-mail address").click()
        assert faults_of(page) == []
        page.get_by_label("New e-mail address").fill("lin@tea.example")
        page.get_by_role("button", name="Send the link").click()
        confirm(page, "Change the e-mail address")
        expect(page.get_by_text("Use the link that was sent to")).to_be_visible()
        assert faults_of(page) == []
        page.goto(f"{origin}/portal/")
        expect(page.get_by_text("they begin at midnight in Shanghai")).to_be_visible()
        assert faults_of(page) == []
        watch.assert_quiet()
    assert User.objects.get().letters_off == ["paper_runs_out"]


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_pages_in_chinese(live_server, chromium: Browser, device):
    origin = live_server.url
    tea = register_merchant(name="茗山茶业", actor=SYSTEM, at=NOON)
    lin = lin_of(tea)
    key, _ = create_api_key(
        merchant_id=tea.pk, livemode=False, label="店铺", scopes=["payments.read"], actor=SYSTEM,
        at=NOON,
    )  # fmt: skip
    write_letter(
        lin.user, "key_ends", at=NOON, merchant=tea.public_id, business=tea.name, key="sk_test_x…",
        label="店铺", ends_at=NOON,
    )  # fmt: skip
    with browsing(chromium, origin, device=device, language="zh-hans") as (page, watch):
        if device == "phone":
            page.set_viewport_size(NARROW)
        page.context.add_cookies([cookie_of(lin, origin)])
        for path in (
            "/portal/keys/", f"/portal/keys/{key.public_id}/", "/portal/notices/", "/account/",
            "/account/profile/", "/account/letters/", "/account/email/",
        ):  # fmt: skip
            page.goto(f"{origin}{path}")
            assert faults_of(page) == [], path
        watch.assert_quiet()
