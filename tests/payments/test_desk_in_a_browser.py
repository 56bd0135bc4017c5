"""The day, the lists and a payment's page, on a desk and on a phone, in both languages."""

from typing import Any, Final

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, ViewportSize, expect

from compliance.audit.actor import SYSTEM
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from payments.acquiring.models import Payment
from tests.cast import NOON, choose, order
from tests.compliance.people import Person, hire
from tests.journeys.browsing import Watch, browsing, faults_of, keep
from tests.payments.crowd import gather
from tests.scripted import script_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW: Final[ViewportSize] = {"width": 360, "height": 780}

_TO_NOW: Final = """
UPDATE payments_{table} SET created_at = created_at + (now() - %s::timestamptz)
"""


def cookie(person: Person, origin: str) -> Any:
    client = Client()
    person.sign_in(client)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": origin}


def until_now() -> None:
    """What was gathered until noon, was until now."""
    with connection.cursor() as cursor:
        for table in ("payment", "event", "attempt"):
            cursor.execute(_TO_NOW.format(table=table), [NOON])


def look_over(page: Page, watch: Watch, name: str, device: str, language: str) -> None:
    """The page is quiet and without faults. Looking for faults is itself heard: forget that."""
    watch.assert_quiet()
    keep(page, f"{name}-{device}-{language}")
    assert faults_of(page) == []
    watch.complaints.clear()


def begin(page: Page, device: str, key: Any) -> None:
    page.context.add_cookies([key])
    if device == "phone":
        page.set_viewport_size(NARROW)


@pytest.mark.parametrize(("device", "language"), [("phone", "zh-hans"), ("desktop", "en")])
def test_lin_sees_her_day_narrows_her_list_and_asks_the_gateway(
    live_server, chromium: Browser, tea, device, language
) -> None:
    lin = hire("lin-owner")
    add_member(merchant_id=tea.merchant.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    origin = live_server.url
    with browsing(chromium, origin, device=device, language=language) as (page, watch):
        begin(page, device, cookie(lin, origin))
        page.goto(f"{origin}/portal/")
        look_over(page, watch, "day-empty", device, language)
        gather(tea, 2400, rare=6)
        payment = order(tea, "T-browser")
        attempt = choose(payment)
        until_now()
        page.goto(f"{origin}/portal/")
        assert page.locator("svg.hours rect").count() > 20
        page.locator(".chart-table summary").first.click()
        expect(page.locator(".chart-table tbody tr").first).to_be_visible()
        look_over(page, watch, "day", device, language)
        page.goto(f"{origin}/portal/payments/?status=paid&method=first&least=5.00")
        look_over(page, watch, "list", device, language)
        page.locator('a[rel="last"]').click()
        expect(page.locator('a[rel="first"]')).to_be_visible()
        with page.expect_download() as taken:
            page.locator('form[action$="/export/"] button').click()
        assert taken.value.suggested_filename.startswith("payments-")
        page.goto(f"{origin}/portal/payments/{payment.id}/")
        look_over(page, watch, "payment", device, language)
        script_of("first").pay(attempt.number)
        page.locator('form[action$="/ask/"] button').click()
        expect(page.locator(".toast.ok, .toast.success").first).to_be_visible()
        look_over(page, watch, "payment-asked", device, language)
    assert Payment.objects.get(public_id=payment.id).state == "paid"


@pytest.mark.parametrize(("device", "language"), [("phone", "en"), ("desktop", "zh-hans")])
def test_wei_sees_everybodys_day_and_closes_a_payment(
    live_server, chromium: Browser, tea, books, device, language
) -> None:
    caches["default"].clear()
    wei = hire("office", roles=["operator"])
    origin = live_server.url
    gather(tea, 2400, rare=6)
    gather(books, 400, rare=3, name="book")
    payment = order(tea, "T-browser")
    choose(payment)
    until_now()
    row = Payment.objects.get(public_id=payment.id)
    with browsing(chromium, origin, device=device, language=language) as (page, watch):
        begin(page, device, cookie(wei, origin))
        page.goto(f"{origin}/admin/")
        assert page.locator("svg.hours rect").count() > 20
        look_over(page, watch, "admin-day", device, language)
        page.goto(f"{origin}/admin/payments/payment/?state__exact=paid&least=5.00")
        look_over(page, watch, "admin-list", device, language)
        page.goto(f"{origin}/admin/payments/payment/{row.pk}/change/")
        look_over(page, watch, "admin-payment", device, language)
        page.locator("#close-reason").fill("Sold out")
        page.locator('form[action$="/close/"] button').click()
        expect(page.locator(".messagelist .success")).to_be_visible()
        look_over(page, watch, "admin-payment-closed", device, language)
    row.refresh_from_db()
    assert row.state == "closed"
    caches["default"].clear()
