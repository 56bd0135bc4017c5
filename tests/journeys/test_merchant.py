"""A merchant's own staff: a key and an endpoint for a program, an order and its refund."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Visit, visit
from tests.journeys.running import eventually
from tests.journeys.shop import Receiver, Shop
from tests.journeys.wallet import choose, pay_with_phone

pytestmark = [pytest.mark.browser, pytest.mark.process]

PRICE, BACK = 39800, 9800
BOOKED: Final = """
SELECT j.kind, a.kind, sum(p.amount_minor) FROM payments_journal j
  JOIN payments_posting p ON p.journal_id = j.id JOIN payments_account a ON a.id = p.account_id
 WHERE j.subject IN (SELECT public_id FROM payments_refund WHERE payment_id =
       (SELECT id FROM payments_payment WHERE public_id = :'payment'))
 GROUP BY j.kind, a.kind ORDER BY j.kind, a.kind
"""
STORED_KEY: Final = """
SELECT count(*) FROM merchants_apikey WHERE revoked_at IS NULL AND label = :'label'
"""


@pytest.fixture
def program() -> Iterator[Receiver]:
    """The merchant's new program. It believes no event until it knows the endpoint's secret."""
    server = Receiver("whsec_" + "A" * 32)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def make_key(ming: Visit, label: str) -> str:
    """Create a key; its secret, read from the page as a person copies it."""
    ming.look("keys")
    ming.fill("What is the key for?", label)
    ming.press("Create key")
    ming.confirm("Create an API key")
    secret = ming.page.locator("#secret").inner_text()
    ming.look("new-key")
    ming.follow("I have copied it")
    expect(ming.page.get_by_role("row", name=label)).to_contain_text(secret[:12])
    expect(ming.page.locator("body")).not_to_contain_text(secret)
    return secret


def name_endpoint(ming: Visit, label: str, program: Receiver) -> None:
    """Name the program's address, and try it."""
    ming.go("/portal/callbacks/endpoints/")
    ming.look("endpoints")
    ming.follow("New endpoint")
    ming.fill("What is behind this address?", label)
    ming.fill("Address", f"{program.url}/events")
    ming.look("new-endpoint")
    ming.press("Create endpoint")
    ming.confirm("Name a callback endpoint")
    program.secret = ming.page.locator("#secret").inner_text()
    ming.look("secret")
    ming.follow("I have copied it")
    ming.press("Send a test")
    expect(ming.page.get_by_text("HTTP 204")).to_be_visible()
    ming.look("tested")
    assert [event["type"] for event in program.heard] == ["endpoint.test"]
    ming.follow("Back to the endpoint")
    ming.look("endpoint")


def sell(ming: Visit, secret: str, chromium: Any) -> dict[str, Any]:
    """The program creates an order with its key, and a customer pays it in a browser."""
    with httpx.Client(
        base_url=ming.platform.url, headers={"Authorization": f"Bearer {secret}"},
        trust_env=False, timeout=30,
    ) as client:  # fmt: skip
        number = f"K{time.time_ns()}"
        answer = client.post(
            "/api/v1/payments",
            json={"merchant_order_no": number, "amount": PRICE, "currency": "CNY",
                  "subject": "茶礼盒 · 四季"},
            headers={"Idempotency-Key": number},
        )  # fmt: skip
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="zh-CN")
    try:
        page = context.new_page()
        page.goto(payment["checkout_url"])
        choose(page, "alipay")
        expect(page.locator(".code svg")).to_be_visible()
        pay_with_phone(chromium, page)
        expect(page.locator(".result.paid")).to_be_visible()
    finally:
        context.close()
    return payment


def titles(page: Page) -> list[str]:
    """What the payment's page says has happened."""
    return page.locator("ol.timeline li .strong").all_inner_texts()


def remove(ming: Visit, words: str) -> None:
    """Press a button that asks whether one is sure."""
    ming.page.once("dialog", lambda dialog: dialog.accept())
    ming.page.get_by_role("button", name=ming.say(words)).click()


@pytest.mark.parametrize(("device", "language"), [("desktop", "en"), ("phone", "zh-hans")])
def test_from_a_new_key_to_a_refund(shop: Shop, platform, chromium, program, device, language):
    label = f"茶园小程序 {datetime.now():%H%M%S}"  # noqa: DTZ005  only a name
    with visit(
        platform, chromium, "merchant_owner", "/portal/keys/", device=device, language=language
    ) as ming:
        secret = make_key(ming, label)
        assert platform.ask(STORED_KEY, label=label) == [["1"]]
        name_endpoint(ming, label, program)

        owed = shop.available()
        payment = sell(ming, secret, chromium)
        program.wait_for(payment["id"], "payment.paid")
        assert shop.available() == owed + PRICE

        ming.go("/portal/")
        ming.look("overview")
        ming.go("/portal/payments/")
        ming.look("payments")
        ming.page.get_by_role("link", name=payment["merchant_order_no"], exact=True).click()
        expect(ming.page.get_by_role("heading", level=1)).to_contain_text("¥398.00")
        ming.look("paid")
        assert ming.say("Paid") in titles(ming.page)

        ming.page.locator("#refund-amount").fill("98.00")
        ming.page.locator("#refund-reason").fill("少发一盒")
        ming.press("Refund", context="verb")
        ming.confirm("Refund a payment")
        ming.reads("The refund is on its way.")
        ming.look("refunding")
        heard = eventually(lambda: [e for e in program.heard if e["type"] == "refund.succeeded"])
        assert [each["data"]["object"]["payment"] for each in heard] == [payment["id"]]
        ming.page.reload()
        story = titles(ming.page)
        assert story.index(ming.say("Paid")) < story.index(ming.say("The money went back"))
        expect(ming.page.locator("#refund-amount")).to_have_value("300.00")
        ming.look("refunded")

        ming.go("/portal/callbacks/")
        ming.look("callbacks")
        ming.go("/portal/callbacks/endpoints/")
        ming.follow(label)
        remove(ming, "Remove the endpoint")
        ming.reads("The endpoint is removed.")
        ming.go("/portal/keys/")
        row = ming.page.get_by_role("row", name=label)
        row.get_by_role("link", name=ming.say("Manage")).click()
        ming.page.wait_for_load_state()
        ming.look("merchant-key")
        ming.page.locator("select[name=why]").select_option("unused")
        remove(ming, "Revoke the key")
        ming.go("/portal/keys/")
        expect(ming.page.get_by_role("row", name=label)).to_contain_text(ming.say("Revoked"))

    assert platform.ask(BOOKED, payment=payment["id"]) == [
        ["refund.reserved", "merchant_payable", "9800"],
        ["refund.reserved", "merchant_reserved", "-9800"],
        ["refund.sent", "merchant_reserved", "9800"],
        ["refund.sent", "refund_in_transit", "-9800"],
        ["refund.succeeded", "channel_receivable", "-9800"],
        ["refund.succeeded", "refund_in_transit", "9800"],
    ]
    assert shop.available() == owed + PRICE - BACK
    refused = httpx.get(
        f"{platform.url}/api/v1/balance", headers={"Authorization": f"Bearer {secret}"},
        trust_env=False,
    )  # fmt: skip
    assert refused.status_code == 401
