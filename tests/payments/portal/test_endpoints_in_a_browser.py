"""Endpoints in browsers, down to a narrow phone: named, tried, and every page of them in reach."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ViewportSize, expect

from compliance.audit.actor import SYSTEM
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from payments.callbacks.deliver import deliver_due
from payments.callbacks.models import Callback, CallbackState, Endpoint
from payments.callbacks.states import EndpointState
from payments.portal.forms import MOMENT
from tests.cast import NOON, open_shop
from tests.compliance.people import code_now, hire
from tests.journeys.browsing import browsing, faults_of, keep
from tests.merchants.test_support_in_a_browser import cookie_of
from tests.payments.portal.test_pages import sell
from tests.payments.programs import Program, heard_at, program

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["program"]
NARROW: Final[ViewportSize] = {"width": 360, "height": 740}


@pytest.fixture
def mei(tea, live_server, chromium: Browser, request) -> Iterator[Any]:
    """Mei's window, at her own shop."""
    shop, person = open_shop("梅家茶坊"), hire("mei")
    add_member(
        user=person.user, merchant_id=shop.merchant.pk, role=Role.OWNER, actor=SYSTEM, at=NOON
    )
    device = request.param
    with browsing(chromium, live_server.url, device=device) as (page, watch):
        if device == "phone":
            page.set_viewport_size(NARROW)
        page.context.add_cookies([cookie_of(person, live_server.url)])
        yield shop, page, watch


@pytest.mark.parametrize("mei", ["desktop", "phone"], indirect=True)
def test_an_endpoint_from_its_naming_to_its_end(mei, live_server, program):
    shop, page, watch = mei
    width = page.viewport_size["width"]

    def look(name: str) -> None:
        assert faults_of(page) == [], name
        keep(page, f"endpoint-{name}-{width}")

    page.goto(f"{live_server.url}/portal/callbacks/endpoints/")
    look("none")
    page.get_by_role("link", name="New endpoint").click()
    look("new")
    page.get_by_label("What is behind this address?").fill("店铺")
    page.get_by_label("Address", exact=True).fill(f"{program}/a-rather-long-address/{'x' * 90}")
    page.get_by_label("Payment paid").check()
    page.get_by_role("button", name="Create endpoint").click()
    page.locator("input[name=code]").fill(code_now(steps=1))
    page.locator("main form button").first.click()
    page.get_by_role("button", name="Name a callback endpoint").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    look("secret")
    page.get_by_role("link", name="I have copied it").click()
    look("fresh")

    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Waiting for the answer.")).to_be_visible()
    deliver_due()
    expect(page.get_by_text("HTTP 200")).to_be_visible()
    look("tested")
    page.get_by_role("link", name="Back to the endpoint").click()

    Program.statuses[f"/a-rather-long-address/{'x' * 90}"] = 500
    sell(shop)
    deliver_due()
    page.reload()
    expect(page.get_by_text("Nothing was delivered since")).to_be_visible()
    look("failing")
    page.get_by_role("link", name="Payment paid").click()
    look("event")
    page.get_by_role("link", name="All events").click()
    look("events")
    page.get_by_role("link", name="Endpoints").click()
    look("list")
    page.get_by_role("link", name="店铺").click()

    Callback.objects.filter(state=CallbackState.PENDING).update(
        state=CallbackState.GIVEN_UP, due_at=None, ended_at=NOON
    )
    page.get_by_role("link", name="Send a span of time again").click()
    look("again")
    sold, day = timezone.localtime(NOON), timedelta(days=1)
    page.get_by_label("From").fill((sold - day).strftime(MOMENT))
    page.get_by_label("Until").fill((sold + day).strftime(MOMENT))
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("1 event is sent.")).to_be_visible()
    look("counted")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("1 event is sent again.")).to_be_visible()

    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    assert Endpoint.objects.get(merchant=shop.merchant).state == EndpointState.DISABLED
    look("off")
    assert len(heard_at(f"/a-rather-long-address/{'x' * 90}")) == 2
    watch.assert_quiet()
