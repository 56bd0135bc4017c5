"""Lin on her phone, and the desk: the pages of enrolments in a real browser."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from compliance.audit.actor import SYSTEM
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from tests.cast import NOON, later
from tests.compliance.people import Person, hire
from tests.journeys.browsing import Watch, browsing, faults_of
from tests.payments.enrolment.scene import begin, send, turn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOUR = 3600


def cookie(person: Person, origin: str) -> Any:
    client = Client()
    person.sign_in(client)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": origin}


def look_over(page: Page, watch: Watch) -> None:
    """The page is quiet and without faults. Looking for faults is itself heard: forget that."""
    watch.assert_quiet()
    assert faults_of(page) == []
    watch.complaints.clear()


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_lin_corrects_and_signs(live_server, chromium: Browser, tea, by, decide, device) -> None:
    origin = live_server.url
    lin, office = hire("lin-owner"), hire("office", roles=["operator"])
    add_member(merchant_id=tea.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    keys = [cookie(lin, origin), cookie(office, origin)]
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "reject", license_copy="照片模糊,请重新拍摄", settlement_id="费率不符")
    row = turn(row, at=later(HOUR))

    with browsing(chromium, origin, device=device) as (page, watch):
        page.context.add_cookies([keys[0]])
        page.goto(f"{origin}/portal/channels/")
        expect(page.get_by_text("To be corrected")).to_be_visible()
        look_over(page, watch)
        page.context.add_cookies([keys[1]])
        page.goto(f"{origin}/admin/payments/enrolment/{row.pk}/change/")
        expect(page.get_by_text("照片模糊,请重新拍摄")).to_be_visible()
        look_over(page, watch)
        page.get_by_role("button", name="Hand it in again").click()
        expect(page.get_by_text("It goes to the gateway within seconds.")).to_be_visible()
        page.goto(f"{origin}/admin/payments/enrolment/begin/")
        look_over(page, watch)
        turn(row, at=later(2 * HOUR))
        decide("wechatpay", row, "sign")
        turn(row, at=later(3 * HOUR))
        page.context.add_cookies([keys[0]])
        page.goto(f"{origin}/portal/channels/")
        expect(page.get_by_role("img", name="QR code of the page")).to_be_visible()
        expect(page.get_by_role("link", name="Open the gateway's page")).to_be_visible()
        look_over(page, watch)
