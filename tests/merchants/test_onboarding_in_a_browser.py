"""From the registration to real money, through a rejection: applicant, reviewer and checker."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def join(page: Page, origin: str, email: str) -> str:
    """Choose a password behind the link, enrol the app on the phone: its secret."""
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
    return secret


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


@dataclass(frozen=True)
class Scene:
    """One browser of somebody, and the device that it runs on."""

    page: Page
    origin: str
    device: str

    def see(self, name: str) -> None:
        """Stop at a page: nothing on it is hard to use, and a picture of it is kept."""
        assert faults_of(self.page) == [], name
        keep(self.page, f"{name}-{self.device}")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_tea_shop_becomes_a_merchant(
    live_server, chromium: Browser, settings, tmp_path: Path, device
):
    origin = live_server.url
    settings.BASE_URL = origin
    settings.DEMO = False

    def browser(state: Any = None) -> Any:
        return scene(chromium, origin, device, state)

    with browser() as lin:
        phone = register(lin)
        fill_in(lin, tmp_path)
        submit(lin)
        applicant = lin.page.context.storage_state()
    application = Application.objects.get()
    with browser(keys_of("reviewer", "operator", origin)) as reviewer:
        send_back(reviewer, application)
    with browser(applicant) as lin:
        mend(lin)
    with browser(keys_of("reviewer2", "operator", origin)) as reviewer:
        recommend(reviewer, application)
    assert Merchant.objects.get().may_live is False
    with browser(keys_of("chen", "operator_checker", origin)) as chen:
        agree(chen)
    merchant = Merchant.objects.get()
    assert (merchant.status, merchant.may_live, merchant.name) == (
        "active", True, "茗山茶业有限公司",
    )  # fmt: skip
    with browser(applicant) as lin:
        order = order_with(make_key(lin, phone))
    assert (order["status"], order["livemode"]) == ("pending", True)


@contextmanager
def scene(chromium: Browser, origin: str, device: str, state: Any) -> Iterator[Scene]:
    """A browser that may have complained of nothing by its end."""
    with browsing(chromium, origin, device=device, storage_state=state) as (page, watch):
        yield Scene(page, origin, device)
        watch.assert_quiet()


def register(lin: Scene) -> str:
    """From the sign-in page to an account with a second factor, whose secret comes back."""
    page, origin = lin.page, lin.origin
    page.goto(f"{origin}/signin/")
    page.get_by_role("link", name="Register a business").click()
    page.get_by_label("Name of your business").fill("Mingshan Tea")
    page.get_by_label("Your name").fill("Lin")
    page.get_by_label("Email address").fill("lin@tea.example")
    lin.see("register")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    lin.see("registered")
    secret = join(page, origin, "lin@tea.example")
    page.goto(f"{origin}/portal/")
    page.get_by_role("link", name="To the application").click()
    lin.see("application")
    return secret


def fill_in(lin: Scene, folder: Path) -> None:
    """All sections, all papers; one of them is looked at before and after it is sent."""
    page = lin.page
    photo = folder / "paper.png"
    photo.write_bytes(picture().content)
    page.get_by_role("link", name="Go on").click()
    for section in TYPED:
        expect(page).to_have_url(re.compile(f"/sections/{section}/"))
        type_section(page, section)
        lin.see(f"section-{section}")
        page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Documents")).to_be_visible()
    for kind in PAPERS:
        card = page.locator(f"section[aria-labelledby=paper-{kind}]")
        page.locator(f"#file-{kind}").set_input_files(photo)
        expect(card.locator("canvas")).to_be_visible()
        expect(card.locator("figcaption")).to_contain_text("paper.png")
        if kind == PAPERS[0]:
            lin.see("chosen")
        card.get_by_role("button", name=re.compile("^Add")).click()
        expect(page.get_by_text("The file was taken in.")).to_be_visible()
    StoredFile.objects.update(state=FileState.CLEAN, scan_at=None)
    page.reload()
    lin.see("documents")
    page.get_by_role("link", name=re.compile("^Look")).first.click()
    shown = page.locator("figure img")
    expect(shown).to_be_visible()
    assert shown.evaluate("one => one.naturalWidth") > 0
    lin.see("paper")


def submit(lin: Scene) -> None:
    page = lin.page
    page.goto(f"{lin.origin}/portal/application/")
    page.get_by_role("link", name="Read the agreement and submit").click()
    page.get_by_role("checkbox").check()
    lin.see("agreement")
    page.get_by_role("button", name="Submit the application").click()
    expect(page.get_by_text("Your application is with the reviewers.")).to_be_visible()
    lin.see("submitted")


def send_back(reviewer: Scene, application: Application) -> None:
    """Values are masked; one is judged wrong, with words for the applicant and a note."""
    page = reviewer.page
    page.goto(f"{reviewer.origin}/admin/merchants/application/?show=queue")
    reviewer.see("queue")
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
    reviewer.see("review")
    page.get_by_role("button", name="Keep the verdicts").click()
    expect(page.get_by_text("1 is rejected.")).to_be_visible()
    page.get_by_role("button", name="Send back to be mended").click()
    expect(page.get_by_text("went back to the applicant")).to_be_visible()


def mend(lin: Scene) -> None:
    """Only what was rejected is open, and the reviewers' note is nowhere."""
    page = lin.page
    page.goto(f"{lin.origin}/portal/application/")
    expect(page.get_by_text("to mend")).to_be_visible()
    lin.see("to-mend")
    page.get_by_role("link", name="Business licence").click()
    expect(page.get_by_text("The licence says number two.")).to_be_visible()
    expect(page.get_by_text("second time this week")).to_have_count(0)
    expect(page.get_by_label("Name on the licence")).not_to_be_editable()
    lin.see("section-rejected")
    page.get_by_label("Registered address").fill("福建省福州市鼓楼区二号")
    page.get_by_role("button", name="Save and go on").click()
    submit(lin)


def recommend(reviewer: Scene, application: Application) -> None:
    page = reviewer.page
    page.goto(f"{reviewer.origin}/admin/merchants/application/{application.pk}/change/")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Keep the verdicts").click()
    page.get_by_label("Reason, or words for the applicant").fill("all papers fit")
    page.get_by_role("button", name="Recommend to a second person").click()
    page.get_by_label("Six-digit code").fill(code_now(steps=1))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Recommend the application").click()
    expect(page.get_by_text("waits for a second person")).to_be_visible()
    reviewer.see("recommended")


def agree(chen: Scene) -> None:
    page = chen.page
    page.goto(f"{chen.origin}/admin/compliance/approval/?show=mine")
    page.locator("#result_list tbody th a").click()
    expect(page.get_by_role("button", name="Agree")).to_be_visible()
    chen.see("approval")
    page.get_by_role("button", name="Agree").click()
    page.get_by_label("Six-digit code").fill(code_now(steps=1))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_text("You agreed.")).to_be_visible()


def make_key(lin: Scene, phone: str) -> str:
    """The secret of a key for real money, as the page shows it once."""
    page = lin.page
    page.goto(f"{lin.origin}/portal/keys/")
    lin.see("keys")
    page.get_by_label("What is the key for?").fill("shop")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Create key").click()
    page.get_by_label("Six-digit code").fill(code_now(secret=phone, steps=1))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Create an API key").click()
    secret = page.get_by_text(re.compile("^sk_live_"))
    expect(secret).to_be_visible()
    return secret.inner_text()


def order_with(key: str) -> dict[str, Any]:
    """The first order with real money, as the shop's server sends it."""
    answer = Client().post(
        "/api/v1/payments",
        {"merchant_order_no": "A-1", "amount": 12800, "currency": "CNY", "subject": "大红袍"},
        content_type="application/json",
        headers={"authorization": f"Bearer {key}", "idempotency-key": "A-1"},
    )
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def keys_of(username: str, role: str, origin: str) -> dict[str, object]:
    """What a browser keeps of one of the staff who has signed in with both factors."""
    client = Client()
    hire(username, roles=[role]).sign_in(client)
    value = client.cookies["sessionid"].value
    return {"cookies": [{"name": "sessionid", "value": value, "url": origin}], "origins": []}
