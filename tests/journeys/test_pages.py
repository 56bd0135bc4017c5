"""Every page for everybody: usable by all, light, quiet, and closed to strangers."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsing import browsing, faults_of, keep
from tests.journeys.people import code_of
from tests.journeys.running import Platform
from tests.journeys.scenes import every_scene
from tests.journeys.shop import Shop

pytestmark = [pytest.mark.browser, pytest.mark.process]

KIB = 1024
LOOKS = pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
"""Each layout and each scheme once; how a scene looks on more screens is tried without gateways."""


@pytest.fixture(scope="module")
def scenes(platform, receiver) -> Iterator[dict[str, str]]:
    key = platform.demo["merchant"]["api_key"]
    with httpx.Client(
        base_url=platform.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False,
        timeout=30,
    ) as client:  # fmt: skip
        shop = Shop(platform, receiver, client)
        with every_scene(shop) as addresses:
            yield addresses
        shop.clear()


@LOOKS
def test_everybody_can_use_every_scene_of_the_checkout(platform, chromium, scenes, device, scheme):
    faults = {}
    with browsing(
        chromium, platform.url, device=device, language="zh-hans", color_scheme=scheme
    ) as (page, watch):
        for name, address in scenes.items():
            page.goto(address)
            keep(page, f"scene-{name}-{device}-{scheme}")
            if found := faults_of(page):
                faults[name] = found
    assert faults == {}
    assert watch.strangers == []
    # A forged address is answered with 404, which the browser's console tells.
    assert [said for said in watch.complaints if "404 (Not Found)" not in said] == []


@pytest.mark.parametrize("name", ["choose", "qr", "form", "paid"])
def test_a_checkout_is_light(platform, chromium, scenes, name):
    arrived: dict[str, list[int]] = {}
    with browsing(chromium, platform.url, device="phone") as (page, watch):
        page.on("response", lambda answer: note(answer, arrived))
        page.goto(scenes[name])
        page.wait_for_load_state("networkidle")
        watch.assert_quiet()
    html = httpx.get(scenes[name], trust_env=False).content
    assert len(gzip.compress(html)) <= 8 * KIB
    assert "font" not in arrived
    assert sum(map(sum, arrived.values())) <= 60 * KIB


def note(answer: Any, arrived: dict[str, list[int]]) -> None:
    """How many bytes came over the wire for each kind of thing."""
    sizes = answer.request.sizes()
    size = sizes["responseHeadersSize"] + sizes["responseBodySize"]
    arrived.setdefault(answer.request.resource_type, []).append(size)


def sign_in(page: Page, platform: Platform, role: str, path: str) -> None:
    """Password, then the code of the authenticator app."""
    person = platform.demo["users"][role]
    page.goto(platform.url + path)
    page.locator("input[name=username]").fill(person["username"])
    page.locator("input[name=password]").fill(person["password"])
    page.keyboard.press("Enter")
    page.locator("input[name=code]").fill(code_of(platform, role))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")


@pytest.fixture(scope="module")
def keys_of(platform, chromium) -> Any:
    """The cookies of signed-in people. Each code works once, so everybody signs in once."""
    known: dict[str, Any] = {}

    def keys(role: str, path: str) -> Any:
        if role not in known:
            with browsing(chromium, platform.url) as (page, watch):
                sign_in(page, platform, role, path)
                watch.assert_quiet()
                known[role] = page.context.storage_state()
        return known[role]

    return keys


@LOOKS
def test_everybody_can_sign_in(platform, chromium, device, scheme):
    with browsing(chromium, platform.url, device=device, color_scheme=scheme) as (page, watch):
        page.goto(f"{platform.url}/portal/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        keep(page, f"signin-{device}-{scheme}")
        assert faults_of(page) == []
        person = platform.demo["users"]["second_owner"]
        page.locator("input[name=username]").fill(person["username"])
        page.locator("input[name=password]").fill(person["password"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Your code")
        keep(page, f"code-{device}-{scheme}")
        assert faults_of(page) == []
        page.goto(f"{platform.url}/portal/payments/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        watch.assert_quiet()


def test_a_wrong_code_lets_nobody_in(platform, chromium):
    person = platform.demo["users"]["merchant_finance"]
    with browsing(chromium, platform.url) as (page, watch):
        page.goto(f"{platform.url}/portal/")
        page.locator("input[name=username]").fill(person["username"])
        page.locator("input[name=password]").fill(person["password"])
        page.keyboard.press("Enter")
        code = int(code_of(platform, "merchant_finance"))
        page.locator("input[name=code]").fill(f"{(code + 1) % 1_000_000:06d}")
        page.keyboard.press("Enter")
        expect(page.locator(".error")).to_be_visible()
        page.goto(f"{platform.url}/portal/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        watch.assert_quiet()


@LOOKS
def test_everybody_can_use_the_portal(platform, chromium, shop, keys_of, device, scheme):
    payment = shop.create()
    shop.choose(payment, "wechatpay")
    shop.control("wechatpay", "pay", payment=payment["id"])
    shop.receiver.wait_for(payment["id"], "payment.paid")
    keys = keys_of("merchant_owner", "/portal/")
    faults = {}
    with browsing(
        chromium, platform.url, device=device, color_scheme=scheme, storage_state=keys
    ) as (page, watch):
        for name in ("", "payments/", f"payments/{payment['id']}/", "callbacks/", "keys/", "team/"):
            answer = page.goto(f"{platform.url}/portal/{name}")
            assert answer is not None
            assert answer.status == 200
            word = name.partition("/")[0] + ("-one" if payment["id"] in name else "")
            keep(page, f"portal-{word or 'home'}-{device}-{scheme}")
            if found := faults_of(page):
                faults[name] = found
        watch.assert_quiet()
    assert faults == {}


@pytest.mark.parametrize("role", ["administrator", "operator"])
def test_staff_read_the_whole_story_of_a_payment(platform, chromium, shop, keys_of, role):
    payment = shop.create()
    shop.control("alipay", "next", fault="refuse")
    shop.choose(payment, "alipay")
    shop.choose(payment, "wechatpay")
    shop.control("wechatpay", "pay", payment=payment["id"])
    shop.receiver.wait_for(payment["id"], "payment.paid")

    keys = keys_of(role, "/admin/")
    with browsing(chromium, platform.url, storage_state=keys) as (page, watch):
        page.goto(f"{platform.url}/admin/payments/payment/?q={payment['id']}")
        page.locator("#result_list a", has_text=payment["id"]).first.click()
        expect(page.locator(".pay-amount")).to_contain_text("128.00")
        story = page.locator("ol.timeline li")
        keep(page, f"admin-payment-{role}")
        titles = story.locator(".pay-title").all_inner_texts()
        watch.assert_quiet()
    told = (
        "Payment created", "The customer chose Alipay", "The customer chose WeChat Pay", "Paid",
        "Booked: payment.paid", "Event: Payment paid", "Callback delivered",
    )  # fmt: skip
    assert [title for title in titles if title in told] == list(told)
    assert titles.index("The customer chose Alipay") < titles.index("Attempt: Failed")
    assert titles.index("The customer chose WeChat Pay") < titles.index("Attempt: Succeeded")
    assert sum(title.startswith("Notification from") for title in titles) == 1


def test_the_admin_is_closed_to_merchants(platform, chromium: Browser, keys_of):
    keys = keys_of("merchant_owner", "/portal/")
    with browsing(chromium, platform.url, storage_state=keys) as (page, _):
        answer = page.goto(f"{platform.url}/admin/payments/payment/")
        assert answer is not None
        expect(page.locator("#result_list")).to_have_count(0)
