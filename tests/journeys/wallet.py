"""What customers do on the checkout and in the sandbox's wallets."""

from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsing import DEVICES


def gateway_of(method: str) -> str:
    """The gateway that speaks for a method."""
    return method.partition("_")[0]


def choose(page: Page, method: str) -> None:
    """Pick a method and go on."""
    page.locator(f"input[name=method][type=radio][value={method}]").check()
    page.locator(".ways form button").click()


def code_on(page: Page) -> str:
    """What the QR code on the checkout says."""
    return (page.locator(".panel details .number").text_content() or "").strip()


def pay_with_phone(chromium: Browser, page: Page) -> None:
    """Scan the code on the page with a phone of one's own, and pay there."""
    context = chromium.new_context(**DEVICES["phone"], locale="zh-CN")
    try:
        phone = context.new_page()
        phone.goto(code_on(page))
        phone.locator("button[value=pay]").click()
        expect(phone.locator("[data-result=paid]")).to_be_visible()
    finally:
        context.close()


def pay_in_wallet(page: Page, method: str) -> None:
    """Pay on the wallet's page, and come back to the checkout: by UnionPay's button, or at once."""
    page.locator("button[value=pay]").click()
    if gateway_of(method) == "unionpay":
        page.locator("[data-state=paid] form button").click()
