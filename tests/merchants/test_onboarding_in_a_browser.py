"""From the registration to real money, through a rejection: applicant, reviewer and checker."""

import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from compliance.identity.models import Letter
from compliance.protection.fields import unseal
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from merchants.models import Merchant
from merchants.onboarding.models import Application
from tests.compliance.people import PASSWORD, code_now, hire
from tests.journeys.browsing import browsing, faults_of, keep
from tests.merchants.applying import PAPERS, TYPED, picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def link_of(email: str) -> str:
    """The link in the last letter to somebody."""
    letter = Letter.objects.filter(user__email=email).latest("pk")
    text = unseal(letter.body_sealed, bound_to=f"letter:{letter.public_id}")
    return str(re.search(r"/link/\S+", text)[0])  # type: ignore[index]


def join(page: Page, origin: str, email: str) -> None:
    """Choose a password behind the link, and enrol the app on the phone."""
    page.goto(f"{origin}{link_of(email)}")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_label("User name").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Six-digit code")).to_be_visible()
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.get_by_label("Six-digit code").fill(code_now(secret=secret))
    page.get_by_role("button", name="Confirm and sign in").click()
    expect(page.get_by_role("heading", name="Confirm and sign in")).to_have_count(0)


def type_section(page: Page, section: str) -> None:
    for number, row in enumerate(TYPED[section]):
        for name, value in row.items():
            field = page.locator(f"[name='{name}-{number}']")
            if value == "long":
                page.locator(f"[name='{name}-{number}-long']").check()
            elif field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        if number + 1 < len(TYPED[section]):
            page.get_by_role("button", name="Save and add another").click()
    expect(page.locator("[data-draft-state]")).to_have_text("Saved.")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_tea_shop_becomes_a_merchant(
    live_server, chromium: Browser, settings, tmp_path: Path, device
):
    origin = live_server.url
    settings.BASE_URL = origin
    photo = tmp_path / "paper.png"
    photo.write_bytes(picture().content)

    with browsing(chromium, origin, device=device) as (page, watch):
        page.goto(f"{origin}/signin/")
        page.get_by_role("link", name="Register a business").click()
        page.get_by_label("Name of your business").fill("Mingshan Tea")
        page.get_by_label("Your name").fill("Lin")
        page.get_by_label("Email address").fill("lin@tea.example")
        keep(page, f"register-{device}")
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        join(page, origin, "lin@tea.example")
        page.goto(f"{origin}/portal/")
        page.get_by_role("link", name="To the application").click()
        keep(page, f"application-{device}")
        page.get_by_role("link", name="Go on").click()
        for section in TYPED:
            expect(page).to_have_url(re.compile(f"/sections/{section}/"))
            type_section(page, section)
            keep(page, f"section-{section}-{device}")
            page.get_by_role("button", name="Save and go on").click()
        expect(page.get_by_role("heading", name="Documents")).to_be_visible()
        for kind in PAPERS:
            page.locator(f"#file-{kind}").set_input_files(photo)
            page.locator(f"section[aria-labelledby=paper-{kind}]").get_by_role(
                "button", name=re.compile("^Add")
            ).click()
            expect(page.get_by_text("The file was taken in.")).to_be_visible()
        keep(page, f"documents-{device}")
        StoredFile.objects.update(state=FileState.CLEAN, scan_at=None)
        page.goto(f"{origin}/portal/application/")
        page.get_by_role("link", name="Read the agreement and submit").click()
        page.get_by_role("checkbox").check()
        keep(page, f"agreement-{device}")
        page.get_by_role("button", name="Submit the application").click()
        expect(page.get_by_text("Your application is with the reviewers.")).to_be_visible()
        watch.assert_quiet()
        applicant = page.context.storage_state()

    application = Application.objects.get()
    desk = f"{origin}/admin/merchants/application/{application.pk}/change/"
    with browsing(
        chromium, origin, device=device, storage_state=keys_of("reviewer", "operator", origin)
    ) as (page, watch):
        page.goto(f"{origin}/admin/merchants/application/?show=queue")
        page.get_by_role("link", name=application.public_id).click()
        expect(page.get_by_text("1101*")).to_have_count(0)
        expect(page.get_by_text("110***********002X").first).to_be_visible()
        address = page.locator(".review-line").filter(has_text="Registered address")
        address.get_by_text("Verdict").click()
        address.get_by_label("wrong").check()
        address.get_by_label("Reason").select_option("mismatch")
        address.get_by_label("Words for the applicant").fill("The licence says number two.")
        address.get_by_label("Note for reviewers only").fill("second time this week")
        for box in page.get_by_role("checkbox").all():
            box.check()
        keep(page, f"review-{device}")
        page.get_by_role("button", name="Keep the verdicts").click()
        expect(page.get_by_text("1 is rejected.")).to_be_visible()
        page.get_by_role("button", name="Send back to be mended").click()
        expect(page.get_by_text("went back to the applicant")).to_be_visible()
        watch.assert_quiet()

    with browsing(chromium, origin, device=device, storage_state=applicant) as (page, watch):
        page.goto(f"{origin}/portal/application/")
        expect(page.get_by_text("to mend")).to_be_visible()
        keep(page, f"to-mend-{device}")
        page.get_by_role("link", name="Business licence").click()
        expect(page.get_by_text("The licence says number two.")).to_be_visible()
        expect(page.get_by_text("second time this week")).to_have_count(0)
        expect(page.get_by_label("Name on the licence")).not_to_be_editable()
        page.get_by_label("Registered address").fill("福建省福州市鼓楼区二号")
        page.get_by_role("button", name="Save and go on").click()
        page.goto(f"{origin}/portal/application/submit/")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Submit the application").click()
        expect(page.get_by_text("Your application is with the reviewers.")).to_be_visible()
        watch.assert_quiet()

    with browsing(
        chromium, origin, device=device, storage_state=keys_of("reviewer2", "operator", origin)
    ) as (page, watch):
        page.goto(desk)
        for box in page.get_by_role("checkbox").all():
            box.check()
        page.get_by_role("button", name="Keep the verdicts").click()
        page.get_by_label("Reason, or words for the applicant").fill("all papers fit")
        page.get_by_role("button", name="Recommend to a second person").click()
        page.get_by_label("Six-digit code").fill(code_now(steps=1))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Recommend the application").click()
        expect(page.get_by_text("waits for a second person")).to_be_visible()
        watch.assert_quiet()
        assert faults_of(page) == []
    assert Merchant.objects.get().may_live is False

    with browsing(
        chromium, origin, device=device, storage_state=keys_of("chen", "operator_checker", origin)
    ) as (page, watch):
        page.goto(f"{origin}/admin/compliance/approval/?show=mine")
        page.locator("#result_list tbody th a").click()
        page.get_by_role("button", name="Agree").click()
        page.get_by_label("Six-digit code").fill(code_now(steps=1))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Agree").click()
        expect(page.get_by_text("You agreed.")).to_be_visible()
        watch.assert_quiet()
    merchant = Merchant.objects.get()
    assert (merchant.status, merchant.may_live, merchant.name) == (
        "active", True, "茗山茶业有限公司",
    )  # fmt: skip


def keys_of(username: str, role: str, origin: str) -> dict[str, object]:
    """What a browser keeps of one of the staff who has signed in with both factors."""
    client = Client()
    hire(username, roles=[role]).sign_in(client)
    value = client.cookies["sessionid"].value
    return {"cookies": [{"name": "sessionid", "value": value, "url": origin}], "origins": []}
