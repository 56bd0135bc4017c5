"""Help and tickets in browsers: a customer on a phone, a merchant, and Gao who answers them."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, expect

from compliance.audit.actor import SYSTEM
from compliance.identity.letters import send_letters
from compliance.identity.states import StaffRole
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import Ticket
from merchants.support.guide import pages
from tests.cast import NOON
from tests.compliance.people import Person, hire
from tests.journeys.browsing import browsing, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def cookie_of(person: Person, origin: str) -> Any:
    client = Client()
    person.sign_in(client)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": origin}


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_every_help_page_can_be_read(live_server, chromium: Browser, device):
    origin = live_server.url
    with browsing(chromium, origin, device=device) as (page, watch):
        for path in ("", "?q=payment", "ask/", *(f"{one.slug}/" for one in pages("en"))):
            page.goto(f"{origin}/help/{path}")
            assert faults_of(page) == [], path
        page.goto(f"{origin}/help/")
        page.get_by_label("What are you looking for?").fill("recovery")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name="Second factor lost").click()
        page.get_by_role("link", name="Be prepared").click()
        assert page.url.endswith("/help/lost-second-factor/#part-3")
        watch.assert_quiet()


def test_a_customer_on_a_phone_asks_and_gao_answers(live_server, chromium: Browser):
    origin = live_server.url
    gao = cookie_of(hire("gao", roles=[StaffRole.OPERATOR]), origin)
    with browsing(chromium, origin, device="phone") as (page, watch):
        page.goto(f"{origin}/help/payment-not-shown/")
        page.get_by_role("link", name="Open a ticket").click()
        page.get_by_label("Your e-mail address").fill("mei@example.com")
        page.get_by_label("What is it about?").fill("Where is my payment?")
        page.get_by_label("Your message").fill("I paid at noon. " + "x" * 200)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Your question is with support.")).to_be_visible()
        assert faults_of(page) == []

        with browsing(chromium, origin, device="desktop") as (desk, _watch):
            desk.context.add_cookies([gao])
            desk.goto(f"{origin}/admin/merchants/ticket/")
            desk.get_by_role("link", name=Ticket.objects.get().public_id).click()
            expect(desk.get_by_label("The asker reads this.")).to_be_visible()
            assert faults_of(desk) == []
            desk.get_by_label("Only the staff read this.").fill("A known one")
            desk.get_by_role("button", name="Keep the note").click()
            desk.get_by_label("The asker reads this.").fill("We found it.")
            desk.get_by_role("button", name="Send the answer").click()
            expect(desk.get_by_text("We found it.")).to_be_visible()
            expect(desk.get_by_text("A known one")).to_be_visible()

        send_letters(at=timezone.now())
        [path] = re.findall(r"/help/tickets/[\w-]+/", str(mail.outbox[-1].body))
        page.goto(f"{origin}{path}")
        expect(page.get_by_text("We found it.")).to_be_visible()
        expect(page.get_by_text("A known one")).to_have_count(0)
        assert faults_of(page) == []
        page.get_by_label("Your message").fill("Thank you!")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Thank you!")).to_be_visible()
        page.get_by_role("button", name="My question is settled").click()
        expect(page.get_by_role("button", name="Open again")).to_be_visible()
        assert faults_of(page) == []
        watch.assert_quiet()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_lin_asks_in_the_portal(live_server, chromium: Browser, device):
    origin = live_server.url
    lin, tea = hire("lin"), register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)
    add_member(merchant_id=tea.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    key = cookie_of(lin, origin)
    with browsing(chromium, origin, device=device) as (page, watch):
        page.context.add_cookies([key])
        page.goto(f"{origin}/portal/tickets/")
        assert faults_of(page) == []
        page.get_by_role("link", name="Ask support").click()
        assert faults_of(page) == []
        page.get_by_label("What is it about?").fill("Callbacks")
        page.get_by_label("Your message").fill("Where are they?")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Your question is with support.")).to_be_visible()
        assert faults_of(page) == []
        page.get_by_role("link", name="All tickets").click()
        expect(page.get_by_role("link", name="Callbacks", exact=True).last).to_be_visible()
        watch.assert_quiet()
