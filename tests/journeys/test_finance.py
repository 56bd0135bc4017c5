"""Who keeps the books: gives money back with four eyes, and brings a day to zero differences."""

from dataclasses import dataclass
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.journeys.people import Visit, visit
from tests.journeys.running import eventually
from tests.journeys.shop import Shop

pytestmark = [pytest.mark.browser, pytest.mark.process]

PEOPLE = pytest.mark.parametrize(("device", "language"), [("desktop", "zh-hans"), ("phone", "en")])
PAID, BACK = 168000, 128000
"""More goes back than one person may give back alone."""

BOOKED = """
SELECT j.kind, a.kind, sum(p.amount_minor) FROM payments_refund r
  JOIN payments_payment y ON y.id = r.payment_id
  JOIN payments_journal j ON j.subject = r.public_id
  JOIN payments_posting p ON p.journal_id = j.id JOIN payments_account a ON a.id = p.account_id
 WHERE y.public_id = :'payment' GROUP BY j.kind, a.kind ORDER BY j.kind, a.kind
"""


DAYS = """
SELECT c.code, r.day, r.id, r.state FROM payments_reconciliationrun r
  JOIN payments_channel c ON c.id = r.channel_id
 WHERE c.gateway = :'gateway'
   AND NOT EXISTS (SELECT FROM payments_difference d WHERE d.run_id = r.id)
 ORDER BY r.day DESC
"""
IS_QUIET = """
SELECT 1 FROM payments_reconciliationrun r WHERE r.id = :'run'::bigint AND r.matched > 0
   AND NOT EXISTS (SELECT FROM payments_difference d WHERE d.run_id = r.id)
"""
DIFFERENCE = """
SELECT id FROM payments_difference WHERE run_id = :'run'::bigint AND number = :'number'
"""
JOURNAL = """
SELECT a.kind, p.amount_minor FROM payments_journal j
  JOIN payments_posting p ON p.journal_id = j.id JOIN payments_account a ON a.id = p.account_id
 WHERE j.subject = 'dif_' || :'difference' || ':1' ORDER BY p.id
"""


@PEOPLE
def test_a_refund_goes_back_when_a_second_person_agrees(shop, platform, chromium, device, language):
    payment = shop.create(amount=PAID)
    shop.choose(payment, "wechatpay")
    shop.control("wechatpay", "pay", payment=payment["id"])
    shop.receiver.wait_for(payment["id"], "payment.paid")
    owed = shop.available()
    page_of = f"/portal/payments/{payment['id']}/"

    with visit(
        platform, chromium, "merchant_finance", page_of, device=device, language=language
    ) as gu:
        gu.look("paid")
        gu.page.locator("#refund-amount").fill("1280.00")
        gu.page.locator("#refund-reason").fill("茶饼受潮，部分退款")
        gu.press("Refund", context="verb")
        gu.confirm("Refund a payment")
        gu.reads("The refund waits for a colleague, who was written to.")
        gu.look("waits")
        assert shop.available() == owed - BACK, "held back from the moment that it is asked for"
        assert shop.get(payment["id"])["amount_refunded"] == 0
        gu.follow("Your requests")
        expect(gu.page.get_by_role("button", name=gu.say("Agree"), exact=True)).to_have_count(0)
        gu.look("requests")

    with visit(
        platform, chromium, "merchant_owner", "/portal/approvals/", device=device,
        language=language,
    ) as ming:  # fmt: skip
        ming.look("requests")
        ming.page.get_by_role("link", name=ming.say("Refund a payment")).first.click()
        expect(ming.page.get_by_text("茶饼受潮，部分退款")).to_be_visible()
        expect(ming.page.get_by_text("¥1,280.00").first).to_be_visible()
        ming.look("request")
        ming.press("Agree")
        ming.confirm("Agree")
        ming.reads("You agreed.")
        ming.look("agreed")
        shop.receiver.wait_for(payment["id"], "payment.paid")
        assert eventually(lambda: shop.get(payment["id"])["amount_refunded"] == BACK)
        ming.go(page_of)
        expect(ming.page.locator(".badge", has_text=ming.say("Succeeded")).first).to_be_visible()
        ming.look("refunded")
        ming.go("/portal/refunds/")
        ming.look("refunds")

    assert shop.available() == owed - BACK
    booked = platform.ask(BOOKED, payment=payment["id"])
    assert booked == [
        ["refund.reserved", "merchant_payable", "128000"],
        ["refund.reserved", "merchant_reserved", "-128000"],
        ["refund.sent", "merchant_reserved", "128000"],
        ["refund.sent", "refund_in_transit", "-128000"],
        ["refund.succeeded", "channel_receivable", "-128000"],
        ["refund.succeeded", "refund_in_transit", "128000"],
    ]
    assert platform.manage("check_books").returncode == 0


@dataclass(frozen=True)
class Day:
    """A gateway's day without differences, until its bill is changed."""

    channel: str
    gateway: str
    day: str
    run: int

    @property
    def page(self) -> str:
        return f"/admin/payments/reconciliationrun/{self.run}/change/"


def reconcile(shop: Shop, day: Day) -> None:
    """Have the day's bill fetched now and not within a minute; a worker may be at it."""
    words = ("reconcile", "--channel", day.channel, "--day", day.day)
    assert eventually(lambda: shop.platform.manage(*words).returncode == 0)


def quiet_day(shop: Shop, gateway: str) -> Day:
    """The newest day with business on which all agrees."""
    for channel, day, run, state in shop.platform.ask(DAYS, gateway=gateway):
        found = Day(channel, gateway, day, int(run))
        if state != "matched":
            reconcile(shop, found)
        if shop.platform.ask(IS_QUIET, run=run):
            return found
    raise AssertionError("each day of the demo has differences by now")


def resolve(who: Visit, difference: str, ending: str) -> None:
    """Take a difference and ask for its end."""
    who.go(f"/admin/payments/difference/{difference}/change/")
    who.press("I take it")
    who.reads("It is yours now.")
    who.look_first("taken")
    who.page.get_by_label(who.say("Resolution"), exact=True).select_option(ending)
    who.fill("Reason", "已向渠道核实，按此处理")
    who.press("Ask for it")
    who.reads("You asked for it. Somebody else must agree.")
    who.look_first("asked")
    expect(who.page.get_by_role("button", name=who.say("Agree"), exact=True)).to_have_count(0)


@dataclass(frozen=True)
class Planted:
    """A gateway's error: what people read of it, how they end it, and what is booked then."""

    found: str
    ending: str
    amount: str
    journal: list[list[str]]


ERRORS: Final = {
    "extra": Planted("Only in the bill", "suspense", "¥88.00", [
        ["channel_receivable", "8800"], ["suspense", "-8800"],
        ["channel_fee_expense", "53"], ["channel_receivable", "-53"],
    ]),
    "fee": Planted("Another fee", "write_off", "¥1.00", [
        ["channel_fee_expense", "100"], ["channel_receivable", "-100"],
    ]),
}  # fmt: skip


PLANS: Final = {"desktop": ("alipay", ["extra", "fee"]), "phone": ("wechatpay", ["extra"])}


@PEOPLE
def test_a_day_with_planted_differences_comes_to_zero(shop, platform, chromium, device, language):
    gateway, kinds = PLANS[device]
    day = quiet_day(shop, gateway)
    counts = dict.fromkeys(kinds, 1)
    planted = shop.control(gateway, "bill", day=day.day, **counts).json()["planted"]

    with visit(platform, chromium, "finance", "/admin/", device=device, language=language) as xu:
        xu.look("home")
        xu.go(day.page)
        xu.look("agrees")
        xu.press("Fetch the bill again")
        xu.reads("The bill will be fetched within a minute.")
        reconcile(shop, day)
        xu.go(day.page)
        for kind in kinds:
            expect(xu.page.get_by_text(xu.say(ERRORS[kind].found))).to_be_visible()
        xu.look("differs")
        xu.follow("Show them")
        expect(xu.page.locator("#result_list tbody tr")).to_have_count(len(kinds))
        xu.look("differences")
        differences = {
            kind: platform.ask(DIFFERENCE, run=str(day.run), number=planted[kind][0])[0][0]
            for kind in kinds
        }
        for kind, difference in differences.items():
            resolve(xu, difference, ERRORS[kind].ending)
            assert platform.ask(JOURNAL, difference=difference) == []

    with visit(
        platform, chromium, "operator_checker", "/admin/", device=device, language=language
    ) as zhao:
        zhao.look("home")
        for kind, difference in differences.items():
            zhao.go(f"/admin/payments/difference/{difference}/change/")
            zhao.look_first("difference")
            zhao.page.locator("#waiting ~ p a").click()
            asked = zhao.page.locator("section[aria-labelledby=asked]")
            expect(asked).to_contain_text(ERRORS[kind].amount)
            zhao.look_first("request")
            zhao.press("Agree")
            zhao.confirm("Agree")
            zhao.reads("You agreed.")
            zhao.look_first("agreed")
        zhao.go(f"/admin/payments/difference/{differences['extra']}/change/")
        zhao.look("booked")
        zhao.go(day.page)
        waiting = zhao.page.locator("section[aria-labelledby=differences] tbody td:last-child")
        expect(waiting).to_have_text(["0"] * len(kinds))
        zhao.look("zero")
        zhao.go(f"/admin/payments/reconciliationrun/?q={day.day}")
        row = zhao.page.locator("#result_list tbody tr", has_text=day.channel)
        expect(row.locator(".field-open_now")).to_have_text("0")
        zhao.look("days")

    for kind, difference in differences.items():
        assert platform.ask(JOURNAL, difference=difference) == ERRORS[kind].journal
    assert platform.manage("check_books").returncode == 0
