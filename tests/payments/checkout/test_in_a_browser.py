"""What the waiting page does by itself, and that everybody can use it: in Chromium."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from payments.acquiring.facts import PaymentFacts
from payments.acquiring.models import Attempt
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.acquiring.presenting import to_row
from payments.acquiring.tokens import checkout_token
from payments.channels.base import FormPost, Redirect
from tests.append_only import allow_emptying
from tests.cast import choose, connect_scripted, latest_attempt, open_shop, order
from tests.scripted import script_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

allow_emptying()

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESKTOP = {"width": 1366, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def shop(transactional_db):
    connect_scripted()
    return open_shop("茗山茶业")


@pytest.fixture
def context(chromium) -> Iterator[BrowserContext]:
    opened = chromium.new_context(locale="en", viewport=DESKTOP)
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def complaints(context) -> list[str]:
    """What the browser refused or could not do."""
    heard: list[str] = []
    context.on(
        "console", lambda m: heard.append(m.text) if m.type in {"error", "warning"} else None
    )
    context.on("weberror", lambda e: heard.append(str(e.error)))
    return heard


@pytest.fixture
def address(live_server) -> Callable[[PaymentFacts], str]:
    return lambda payment: f"{live_server.url}/pay/{checkout_token(payment.id)}/"


def new_order(shop, **changes) -> PaymentFacts:
    return order(shop, at=timezone.now(), **changes)


def pay(payment) -> None:
    number = latest_attempt(payment).number
    script_of("first").pay(number)
    message = script_of("first").message(number)
    receive(channel_code="first", raw=message, address="192.0.2.1")


def present(payment, shown) -> None:
    Attempt.objects.filter(pk=latest_attempt(payment).pk).update(presentation=to_row(shown))


def test_from_choice_to_result_without_a_reload(shop, context, complaints, address):
    payment = new_order(shop, return_url="https://tea.example/thanks")
    page = context.new_page()
    page.goto(address(payment))
    expect(page.get_by_role("heading", level=1)).to_have_text("¥128.00")
    page.get_by_role("radio", name="First").check()
    page.get_by_role("button", name="Pay ¥128.00").click()
    expect(page.get_by_role("img", name="QR code for First")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("Waiting for your payment.")

    pay(payment)

    expect(page.get_by_role("heading", level=1)).to_have_text("Paid")
    back = page.get_by_role("link", name="Back to the merchant")
    assert "status=paid" in (back.get_attribute("href") or "")
    assert context.cookies() == []
    assert complaints == []


def test_the_whole_way_by_keyboard(shop, context, address):
    page = context.new_page()
    page.goto(address(new_order(shop)))
    page.get_by_role("radio", name="First").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Second")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Scan with Second")).to_be_visible()


def test_without_javascript(shop, chromium, address):
    context = chromium.new_context(locale="zh-CN", java_script_enabled=False, viewport=PHONE)
    payment = new_order(shop)
    page = context.new_page()
    page.goto(address(payment))
    page.locator("input[name=method][value=first]").check()
    page.locator("form button").last.click()
    expect(page.locator(".code svg")).to_be_visible()
    expect(page.locator(".again time")).to_be_visible()

    pay(payment)

    expect(page.locator(".result.paid")).to_be_visible(timeout=10_000)  # The page refreshes itself.
    context.close()


def test_a_form_goes_on_to_the_gateway_by_itself_but_only_once(
    shop, context, complaints, elsewhere, address
):
    payment = new_order(shop)
    choose(payment, at=timezone.now())
    fields = (("txnAmt", "12800"), ("reqReserved", "支付 <1>"))
    present(payment, FormPost(url=f"{elsewhere.url}/front", fields=fields))
    page = context.new_page()
    page.goto(address(payment))
    expect(page.get_by_role("button", name="Continue to First")).to_be_visible()

    page.get_by_role("button", name="Pay this way").click()
    expect(page).to_have_url(f"{elsewhere.url}/cashier")
    path, referrer, body = elsewhere.taken[0]
    assert path == "/front"
    assert body.startswith("txnAmt=12800&reqReserved=%E6%94%AF")
    assert checkout_token(payment.id) not in referrer

    page.goto(address(payment) + "return")
    expect(page.get_by_role("button", name="Continue to First")).to_be_visible()
    assert len(elsewhere.taken) == 1
    assert complaints == []


def test_a_link_tells_the_gateway_our_origin_and_not_the_address(
    shop, context, complaints, elsewhere, address
):
    payment = new_order(shop)
    choose(payment, at=timezone.now())
    present(payment, Redirect(url=f"{elsewhere.url}/cashier"))
    page = context.new_page()
    page.goto(address(payment))
    page.get_by_role("link", name="Continue to First").click()
    expect(page).to_have_url(f"{elsewhere.url}/cashier")
    referrer = page.evaluate("document.referrer")
    assert referrer == address(payment).split("/pay/")[0] + "/"
    assert complaints == []


def test_a_form_to_anywhere_else_is_refused_by_the_policy(shop, context, elsewhere, address):
    payment = new_order(shop)
    choose(payment, at=timezone.now())
    page = context.new_page()
    page.goto(address(payment))
    with page.expect_console_message(lambda m: "form-action" in m.text):
        page.evaluate(
            "url => { document.forms[0].action = url; document.forms[0].submit() }",
            f"{elsewhere.url}/front",
        )
    assert elsewhere.taken == []


def test_the_clock_counts_down_and_then_the_page_moves_on(shop, context, address):
    payment = new_order(shop, expires_in=600)
    page = context.new_page()
    page.clock.install()
    page.goto(address(payment))
    left = page.locator(".left")
    expect(left).to_contain_text("Time left 09:5")
    page.clock.fast_forward(9 * 60 * 1000)
    expect(left).to_contain_text("Time left 00:5")
    with page.expect_navigation():
        page.clock.fast_forward(62 * 1000)


def test_a_lost_connection_is_told_and_mended(shop, context, address):
    payment = new_order(shop)
    choose(payment, at=timezone.now())
    page = context.new_page()
    page.goto(address(payment))
    context.set_offline(True)
    expect(page.locator(".live")).to_have_text("The connection is gone. Trying again…")
    context.set_offline(False)
    expect(page.locator(".live")).to_contain_text("Waiting for your payment.")


def test_the_language_switch(shop, context, address):
    page = context.new_page()
    page.goto(address(new_order(shop)))
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


def scenes(shop) -> dict[str, PaymentFacts]:
    """An order for each thing the page can show."""
    names = ["choose", "qr", "link", "form", "failed", "unknown", "paid", "closed"]
    made = {name: new_order(shop, number=f"T-{name}") for name in names}
    for name in ("qr", "link", "form", "paid"):
        choose(made[name], at=timezone.now())
    present(made["link"], Redirect(url="https://gateway.example/"))
    present(made["form"], FormPost(url="https://gateway.example/", fields=()))
    script_of("first").faults.extend(["reject", "after"])
    for name in ("failed", "unknown"):
        choose(made[name], at=timezone.now())
    pay(made["paid"])
    close_payment(access=shop.access, payment=made["closed"].id, at=timezone.now())
    return made


def faults_of(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    faults = [f"{fault['id']}: {fault['nodes'][0]['html'][:80]}" for fault in found]
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*faults, "scrolls sideways"] if is_wide else faults


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, {"width": 320, "height": 600}])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_every_scene(shop, chromium, address, viewport, scheme):
    made = scenes(shop)
    context = chromium.new_context(locale="en", viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    faults = {}
    for name, payment in made.items():
        page.goto(address(payment))
        if found := faults_of(page):
            faults[name] = found
    context.close()
    assert faults == {}
