"""Customers for whom not everything goes well, on the real platform in Chromium."""

import pytest
from playwright.sync_api import expect

from tests.journeys.browsing import browsing, keep
from tests.journeys.running import eventually
from tests.journeys.wallet import choose, code_on, pay_in_wallet, pay_with_phone

pytestmark = [pytest.mark.browser, pytest.mark.process]

GIVEN_BACK = """
SELECT sum(r.amount_minor) FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
 WHERE p.public_id = :'payment' AND r.state = 'succeeded'
"""


@pytest.fixture
def customer(chromium, platform):
    """A customer at a desktop: the page, and what the browser did beside it."""
    with browsing(chromium, platform.url) as (page, watch):
        yield page
        watch.assert_quiet()


def test_a_refused_try_is_told_and_another_method_pays(shop, customer, chromium):
    payment = shop.create()
    shop.control("alipay", "next", fault="refuse")
    customer.goto(payment["checkout_url"])
    choose(customer, "alipay")
    expect(customer.get_by_role("alert")).to_contain_text("You have not been charged.")
    keep(customer, "failed")

    choose(customer, "wechatpay")
    pay_with_phone(chromium, customer)

    expect(customer.locator(".result.paid")).to_be_visible()
    paid = shop.receiver.wait_for(payment["id"], "payment.paid")["data"]["object"]
    assert paid["method"] == "wechatpay"


def test_a_gateway_that_does_not_know_is_asked_and_then_pays(shop, customer, chromium):
    payment = shop.create()
    shop.control("alipay", "next", fault="system_error")
    customer.goto(payment["checkout_url"])
    choose(customer, "alipay")
    expect(customer.get_by_text("Please do not pay again.")).to_be_visible()
    keep(customer, "unknown")

    customer.get_by_role("button", name="Ask again now").click()
    customer.get_by_text("Use another way to pay").click()
    choose(customer, "alipay")
    pay_with_phone(chromium, customer)

    expect(customer.locator(".result.paid")).to_be_visible()
    assert shop.get(payment["id"])["status"] == "paid"


def test_an_answer_that_never_came_costs_no_second_payment(shop, customer, chromium):
    payment = shop.create()
    shop.control("wechatpay", "next", fault="timeout_after")
    customer.goto(payment["checkout_url"])
    choose(customer, "wechatpay")
    expect(customer.get_by_text("Please do not pay again.")).to_be_visible()

    assert shop.control("wechatpay", "pay", payment=payment["id"]).status_code == 200

    expect(customer.locator(".result.paid")).to_be_visible()
    shop.receiver.wait_for(payment["id"], "payment.paid")


def test_who_switches_cannot_pay_the_earlier_code_any_more(shop, customer, chromium):
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "alipay")
    expect(customer.get_by_role("img", name="QR code for Alipay")).to_be_visible()
    wallet = customer.context.new_page()
    wallet.goto(code_on(customer))
    expect(wallet.locator("button[value=pay]")).to_be_visible()

    choose(customer, "unionpay_qr")
    expect(customer.get_by_role("img", name="QR code for UnionPay QR")).to_be_visible()

    wallet.locator("button[value=pay]").click()
    expect(wallet.locator("[data-result=closed]")).to_be_visible()
    wallet.close()
    pay_with_phone(chromium, customer)
    expect(customer.locator(".result.paid")).to_be_visible()


def test_who_comes_back_without_paying_may_choose_again(shop, customer, chromium):
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "alipay_page")
    customer.wait_for_url("**/sandbox/wallet/**")

    customer.go_back()
    expect(customer.get_by_role("heading", name="Continue to Alipay account")).to_be_visible()
    choose(customer, "wechatpay")
    pay_with_phone(chromium, customer)

    expect(customer.locator(".result.paid")).to_be_visible()


def test_an_order_that_the_shop_closes_while_the_customer_looks(shop, customer):
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "wechatpay")
    expect(customer.locator(".code svg")).to_be_visible()

    shop.close(payment["id"])

    expect(customer.get_by_role("heading", level=1)).to_have_text("This order is closed")
    keep(customer, "closed")
    shop.receiver.wait_for(payment["id"], "payment.closed")
    assert shop.control("wechatpay", "pay", payment=payment["id"]).status_code == 409


def test_an_order_whose_time_runs_out_while_the_customer_looks(shop, customer):
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "wechatpay")
    expect(customer.locator(".code svg")).to_be_visible()

    shop.expire(payment["id"])

    expect(customer.get_by_role("heading", level=1)).to_have_text("This order has expired")
    keep(customer, "expired")
    shop.receiver.wait_for(payment["id"], "payment.closed")
    assert shop.control("wechatpay", "pay", payment=payment["id"]).status_code == 409


def test_a_code_that_ran_out_is_made_anew(shop, customer, chromium):
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "alipay")
    expect(customer.locator(".code svg")).to_be_visible()
    shop.let_code_run_out(payment["id"])
    customer.reload()
    expect(customer.get_by_role("heading", name="The code has run out")).to_be_visible()
    keep(customer, "stale")

    customer.get_by_role("button", name="Show a new code").click()
    pay_with_phone(chromium, customer)

    expect(customer.locator(".result.paid")).to_be_visible()


def test_money_that_comes_after_the_end_goes_back_in_full(shop, customer):
    owed = shop.available()
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "unionpay")
    customer.wait_for_url("**/sandbox/wallet/**")
    assert shop.close(payment["id"])["status"] == "closed"

    pay_in_wallet(customer, "unionpay")  # UnionPay has no way to close an order.

    heading = customer.get_by_role("heading", level=1)
    # The page first says that the order is closed when it is faster than the gateway's word.
    expect(heading).to_have_text("Your money is on its way back")
    keep(customer, "late")
    assert eventually(lambda: shop.platform.ask(GIVEN_BACK, payment=payment["id"]) == [["12800"]])
    assert shop.get(payment["id"])["status"] == "closed"
    assert shop.available() == owed


def test_a_code_that_was_first_scanned_after_the_end(shop, customer):
    payment = shop.create()
    customer.goto(payment["checkout_url"])
    choose(customer, "alipay")  # Alipay cannot close an order before somebody has scanned its code.
    expect(customer.locator(".code svg")).to_be_visible()
    shop.close(payment["id"])
    heading = customer.get_by_role("heading", level=1)
    expect(heading).to_have_text("This order is closed")

    assert shop.control("alipay", "pay", payment=payment["id"]).status_code == 200

    expect(heading).to_have_text("Your money is on its way back")
    assert eventually(lambda: shop.platform.ask(GIVEN_BACK, payment=payment["id"]) == [["12800"]])


def test_a_forged_address_says_nothing(shop, chromium, platform):
    payment = shop.create()
    address = payment["checkout_url"].rstrip("/")
    forged = address[:-1] + ("0" if address[-1] != "0" else "1")
    with browsing(chromium, platform.url, language="zh-hans") as (page, _):
        answer = page.goto(f"{forged}/")
        assert answer is not None
        assert answer.status == 404
        expect(page.locator("body")).to_contain_text("checkout_unknown")
        expect(page.locator("body")).not_to_contain_text(payment["merchant_order_no"])
        keep(page, "forged")
    assert shop.api.post(f"{forged}/", data={"method": "alipay"}).status_code == 404
    assert shop.api.get(f"{forged}/status").json() == {"code": "checkout_unknown"}
