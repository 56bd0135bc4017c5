"""The staff ask a gateway, close a payment and take lists out; each by those whose work it is."""

import csv
import io
import re

import pytest
from django.test import Client

from compliance.audit.models import AuditEntry
from payments.acquiring.models import Payment
from tests.cast import choose, order
from tests.compliance.people import confirm, hire
from tests.payments.crowd import gather
from tests.scripted import script_of

pytestmark = pytest.mark.django_db(transaction=True)


def browser(role: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    hire(f"their-{role}", roles=[role]).sign_in(client)
    return client


def page_of(payment) -> str:
    row = Payment.objects.get(public_id=payment.id)
    return f"/admin/payments/payment/{row.pk}/"


def test_wei_asks_the_gateway_and_the_story_tells_it(tea, sound):
    wei = browser("operator")
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    page = page_of(payment)
    assert "Ask the gateway now" in wei.get(f"{page}change/").content.decode()
    answer = wei.post(f"{page}ask/", follow=True).content.decode()
    assert "First says: paid, ¥128.00." in answer
    assert "Somebody had the gateway asked" in answer
    assert Payment.objects.get(public_id=payment.id).state == "paid"
    sound()


def test_closing_needs_a_reason_and_the_role(tea, sound):
    wei, auditor = browser("operator"), browser("auditor")
    payment = order(tea)
    choose(payment)
    page = page_of(payment)
    shown = auditor.get(f"{page}change/").content.decode()
    assert "Close the payment" not in shown
    assert "Ask the gateway now" not in shown
    assert auditor.post(f"{page}close/", {"reason": "no"}).status_code == 403
    assert auditor.post(f"{page}ask/").status_code == 403
    assert "Write down why" in wei.post(f"{page}close/", follow=True).content.decode()
    answer = wei.post(f"{page}close/", {"reason": "Sold out"}, follow=True).content.decode()
    assert "The payment is closed." in answer
    entry = AuditEntry.objects.get(action="payment.close_requested")
    assert (entry.reason, entry.role) == ("Sold out", "operator")
    sound()


def test_filters_of_the_list_find_what_they_say(desk, tea):
    gather(tea, 100)
    found = {
        query: len(desk.get(f"/admin/payments/payment/?{query}").context["cl"].result_list)
        for query in ("method=first", "method=second", "method=x", "least=1.90&most=1.95",
                      "from=2026-11-23&to=2026-11-23", "from=2026-11-24", "to=2026-11-22",
                      "least=1.90&state__exact=closed")
    }  # fmt: skip
    assert found == {
        "method=first": 50, "method=second": 0, "method=x": 50, "least=1.90&most=1.95": 6,
        "from=2026-11-23&to=2026-11-23": 50, "from=2026-11-24": 0, "to=2026-11-22": 0,
        "least=1.90&state__exact=closed": 2,
    }  # fmt: skip
    page = desk.get("/admin/payments/payment/?least=1.90&state__exact=closed").content.decode()
    assert '<input type="hidden" name="state__exact" value="closed">' in page
    assert re.search(r'name="least" value="1.90"', page)


def test_the_list_has_two_ends(desk, tea):
    gather(tea, 120)
    first = desk.get("/admin/payments/payment/").content.decode()
    [last_url] = re.findall(r'<a href="([^"]*)" rel="last"', first)
    answer = desk.get(f"/admin/payments/payment/{last_url.replace('&amp;', '&')}")
    rows = [row.public_id for row in answer.context["cl"].result_list]
    assert rows == [f"pay_crowd{n}" for n in range(50, 0, -1)]
    page = answer.content.decode()
    assert 'rel="next"' not in page
    assert re.search(r'<a href="\?" rel="first"', page)


def test_a_list_goes_out_after_the_second_factor_and_on_record(tea):
    gather(tea, 70)
    Payment.objects.filter(public_id="pay_crowd70").update(subject='=HYPERLINK("http://x","点我")')
    wei = hire("wei", roles=["operator"])
    client = Client(headers={"accept-language": "en"})
    wei.sign_in(client)
    path = "/admin/payments/payment/export/?state__exact=closed"
    asked = client.post(path)
    assert not AuditEntry.objects.filter(action="payments.exported").exists()
    answer = confirm(client, asked)
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["Payment"] for row in rows] == [f"pay_crowd{n}" for n in range(70, 0, -7)]
    assert rows[0]["Subject"].startswith("'=HYPERLINK")
    assert rows[0]["Merchant"] == "茗山茶业"
    ended = AuditEntry.objects.get(action="payments.export_ended")
    assert ended.facts == {"state__exact": "closed", "rows": 10, "whole": True}


@pytest.mark.parametrize("role", ["administrator", "operator_checker"])
def test_others_take_nothing_out(tea, role):
    client = browser(role)
    assert client.post("/admin/payments/payment/export/").status_code == 403
    assert "Export as CSV" not in client.get("/admin/payments/payment/").content.decode()
