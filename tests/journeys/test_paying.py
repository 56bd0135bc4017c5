"""An order from the merchant's program to the merchant's callback, paid in Chromium."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsing import browsing, keep
from tests.journeys.people import said
from tests.journeys.wallet import choose, gateway_of, pay_in_wallet, pay_with_phone

pytestmark = [pytest.mark.browser, pytest.mark.process]

METHODS = ["alipay", "alipay_page", "wechatpay", "unionpay", "unionpay_qr"]
SCANNED = {("desktop", "alipay"), ("desktop", "wechatpay"), ("desktop", "unionpay_qr"),
           ("phone", "unionpay_qr")}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "device", "language"),
    [
        *((method, "desktop", "zh-hans") for method in METHODS),
        *((method, "phone", "en") for method in METHODS),
        ("alipay", "desktop", "en"),
        ("wechatpay", "phone", "zh-hans"),
        ("unionpay", "phone", "zh-hans"),
    ],
)
def test_an_order_is_paid_and_the_merchant_is_told(
    shop, platform, chromium, method, device, language
):
    owed = shop.available()
    payment = shop.create()
    with browsing(chromium, platform.url, device=device, language=language) as (page, watch):
        page.goto(payment["checkout_url"])
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.get_by_role("heading", level=1)).to_have_text("¥128.00")
        keep(page, f"choose-{device}-{language}")
        choose(page, method)
        if (device, method) in SCANNED:
            expect(page.locator(".code svg")).to_be_visible()
            keep(page, f"qr-{method}-{device}-{language}")
            pay_with_phone(chromium, page)
        else:
            page.wait_for_url("**/sandbox/wallet/**")
            keep(page, f"wallet-{method}-{device}-{language}")
            pay_in_wallet(page, method)
        expect(page.locator(".result.paid")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_text(said("Paid", language))
        assert page.url.split("?")[0] == payment["checkout_url"]
        keep(page, f"paid-{method}-{device}-{language}")
        watch.assert_quiet()
        go_back(page, said("Back to the merchant", language))

    assert shop.receiver.visits[-1] == {
        "payment_id": [payment["id"]],
        "merchant_order_no": [payment["merchant_order_no"]],
        "status": ["paid"],
    }
    told = shop.receiver.wait_for(payment["id"], "payment.paid")["data"]["object"]
    now = shop.get(payment["id"])
    assert told == now
    assert (now["status"], now["method"]) == ("paid", method)
    assert now["channel"] == gateway_of(method)
    assert shop.available() == owed + 12800
    assert shop.event_states(payment["id"]).keys() == {"payment.paid"}


def go_back(page: Page, words: str) -> None:
    """The customer returns to the shop."""
    page.get_by_role("link", name=words).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


@pytest.mark.parametrize("method", ["alipay", "alipay_page", "unionpay"])
def test_without_javascript(shop, platform, chromium, method):
    payment = shop.create()
    with browsing(chromium, platform.url, language="zh-hans", java_script_enabled=False) as (
        page, watch,
    ):  # fmt: skip
        page.goto(payment["checkout_url"])
        choose(page, method)
        if method == "alipay":
            expect(page.locator(".code svg")).to_be_visible()
            pay_with_phone(chromium, page)
        else:
            page.locator("a[data-go], form[data-go] button").click()
            page.wait_for_url("**/sandbox/wallet/**")
            pay_in_wallet(page, method)
        expect(page.locator(".result.paid")).to_be_visible()
        watch.assert_quiet()
    assert shop.get(payment["id"])["status"] == "paid"
    shop.receiver.wait_for(payment["id"], "payment.paid")


def test_a_customer_who_left_is_paid_for_all_the_same(shop, platform, chromium):
    payment = shop.create()
    with browsing(chromium, platform.url) as (page, _):
        page.goto(payment["checkout_url"])
        choose(page, "wechatpay")
        expect(page.locator(".code svg")).to_be_visible()

    assert shop.control("wechatpay", "pay", payment=payment["id"]).status_code == 200

    shop.receiver.wait_for(payment["id"], "payment.paid")
    assert shop.get(payment["id"])["status"] == "paid"
