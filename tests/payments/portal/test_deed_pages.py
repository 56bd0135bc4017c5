"""A merchant's people ask a gateway, close an order and take a list out, in the portal."""

import csv
import io
import re

import pytest

from compliance.audit.models import AuditEntry
from merchants.accounts.states import Role
from payments.acquiring.models import Payment
from tests.cast import choose, order
from tests.payments.crowd import gather
from tests.payments.portal.test_pages import enter, text
from tests.scripted import script_of

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(payment) -> str:
    return Payment.objects.get(public_id=payment.id).state


def said(client, payment, deed: str) -> str:
    answer = client.post(f"/portal/payments/{payment.id}/{deed}/", follow=True)
    return " ".join(re.findall(r'class="toast[^"]*"[^>]*>(.*?)</li>', text(answer), re.DOTALL))


def test_lin_asks_and_reads_what_the_gateway_says(tea, sound):
    lin = enter(tea, "lin")
    payment = order(tea)
    assert "no gateway to ask" in said(lin, payment, "ask")
    script_of("first").pay(choose(payment).number)
    assert "First says: paid, ¥128.00." in said(lin, payment, "ask")
    assert state_of(payment) == "paid"
    assert "Wait" in said(lin, payment, "ask")
    sound()


def test_no_answer_is_told_as_not_known(tea):
    lin = enter(tea, "lin")
    payment = order(tea)
    choose(payment)
    script_of("first").faults.append("before")
    assert "is not known" in said(lin, payment, "ask")
    assert state_of(payment) == "pending"


def test_who_may_write_closes_and_who_may_not_sees_no_button(tea, sound):
    gu, wang = enter(tea, "gu", Role.FINANCE), enter(tea, "wang", Role.OPERATOR)
    payment = order(tea)
    choose(payment)
    page = f"/portal/payments/{payment.id}/"
    assert "Close the payment" not in text(gu.get(page))
    assert gu.post(f"{page}close/").status_code == 403
    assert "Close the payment" in text(wang.get(page))
    assert "The payment is closed." in said(wang, payment, "close")
    assert state_of(payment) == "closed"
    assert "Close the payment" not in text(wang.get(page))
    sound()


def test_what_turns_out_to_be_paid_is_told_and_stays(tea, sound):
    lin = enter(tea, "lin")
    payment = order(tea)
    script_of("first").pay(choose(payment).number)
    assert "turned out to be paid" in said(lin, payment, "close")
    assert state_of(payment) == "paid"
    sound()


@pytest.mark.parametrize("deed", ["ask", "close"])
def test_another_merchants_payment_is_not_there(tea, books, deed):
    yun = enter(books, "yun")
    payment = order(tea)
    choose(payment)
    assert yun.post(f"/portal/payments/{payment.id}/{deed}/").status_code == 404
    assert yun.get(f"/portal/payments/{payment.id}/{deed}/").status_code == 405
    assert state_of(payment) == "pending"


def test_the_list_is_taken_out_as_it_is_narrowed(tea, books):
    lin = enter(tea, "lin")
    gather(tea, 70)
    gather(books, 5, name="book")
    page = text(lin.get("/portal/payments/?status=closed&least=1.20"))
    [form] = re.findall(r'action="/portal/payments/export/">(.*?)</form>', page, re.DOTALL)
    fields = dict(re.findall(r'name="(status|least)" value="([^"]*)"', form))
    assert fields == {"status": "closed", "least": "1.20"}
    answer = lin.post("/portal/payments/export/", fields)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    content = answer.getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert {row["Payment"] for row in rows} == {f"pay_crowd{n}" for n in range(21, 71, 7)}
    entry = AuditEntry.objects.get(action="payments.exported")
    assert (entry.actor_label, entry.facts) == ("lin", fields)


def test_all_filters_stay_in_the_links_between_pages(tea):
    lin = enter(tea, "lin")
    gather(tea, 200)
    page = text(lin.get("/portal/payments/?status=paid&method=first&from=2026-11-01&least=1.01"))
    links = re.findall(r'rel="(next|last)" href="([^"]*)"', page)
    assert [rel for rel, _href in links] == ["next", "last"]
    for _rel, href in links:
        assert all(part in href for part in ("status=paid", "method=first", "least=1.01"))
    last = text(lin.get("/portal/payments/" + links[1][1].replace("&amp;", "&")))
    assert "pay_crowd1/" in last
    assert 'rel="first"' in last
    assert 'rel="next"' not in last
