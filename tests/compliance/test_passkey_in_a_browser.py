"""A passkey from its making to a sign-in and a confirmation, by Chromium's own authenticator."""

import pytest
from playwright.sync_api import Browser, Page, expect

from compliance.audit.actor import SYSTEM
from compliance.identity.models import Authenticator
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import ApiKey
from tests.compliance.people import NOON, PASSWORD, code_now, hire
from tests.journeys.browsing import browsing, faults_of, keep

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def with_device(page: Page) -> None:
    """Plug in an authenticator that knows its user's finger."""
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    line.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }})  # fmt: skip


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_lin_needs_no_password_any_more(live_server, chromium: Browser, settings, device):
    origin = live_server.url
    settings.BASE_URL = origin
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [origin]
    shop = register_merchant(name="茗山茶业", actor=SYSTEM, at=NOON)
    lin = hire("lin").user
    add_member(merchant_id=shop.pk, user=lin, role=Role.OWNER, actor=SYSTEM, at=NOON)

    with browsing(chromium, origin, device=device) as (page, watch):
        with_device(page)
        page.goto(f"{origin}/signin/?next=/account/")
        page.get_by_label("User name").fill("lin")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Six-digit code").fill(code_now())
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_label("Name of the device").fill("work laptop")
        assert faults_of(page) == []
        keep(page, f"account-{device}")
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_label("Six-digit code").fill(code_now(steps=1))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_role("button", name="Make the passkey").click()
        expect(page.get_by_text("The passkey is added.")).to_be_visible()
        expect(page.get_by_text("work laptop")).to_be_visible()
        watch.assert_quiet()

        # The passkey also lets another phone in, with an app of its own.
        page.get_by_role("button", name="Enrol another").click()
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("button", name="Enrol another authenticator app").click()
        secret = page.locator("#secret").inner_text().replace(" ", "")
        keep(page, f"another-app-{device}")
        page.get_by_label("Six-digit code").fill(code_now(secret=secret))
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("The new authenticator app is enrolled.")).to_be_visible()
        assert Authenticator.objects.get(confirmed=True).secret == secret
        watch.assert_quiet()

        page.context.clear_cookies()
        page.goto(f"{origin}/signin/?next=/portal/keys/")
        keep(page, f"signin-{device}")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_label("What is the key for?").fill("till")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("button", name="Create an API key").click()
        expect(page.get_by_text("sk_test_").first).to_be_visible()
        watch.assert_quiet()
    assert ApiKey.objects.count() == 1
