"""Refunds in the portal: asked for with the second factor, released by a colleague."""

import re
from typing import Any

import pytest
from django.test import Client

from compliance.approvals.models import Approval
from merchants.accounts.states import Role
from payments.acquiring.models import Payment, Refund
from payments.acquiring.states import RefundState
from payments.money import Money
from tests.cast import open_shop
from tests.compliance.people import confirm
from tests.payments.portal.test_pages import enter, sell, text
from tests.payments.test_refunding import refund

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin(tea) -> Client:
    return enter(tea, "lin")


def form(page: str, **changes: str) -> dict[str, str]:
    number = re.search(r'name="number" value="([^"]+)"', page)
    assert number is not None
    return {"number": number[1], "amount": "28.00", "reason": "少了一罐", **changes}


def ask(client: Client, payment: Any, **changes: str) -> Any:
    page = text(client.get(f"/portal/payments/{payment.id}/"))
    return client.post(f"/portal/payments/{payment.id}/refund/", form(page, **changes))


class TestAsking:
    """From the payment's page."""

    def test_a_part_after_the_second_factor(self, lin, tea):
        payment = sell(tea)

        asked = ask(lin, payment)
        assert not Refund.objects.exists()
        shown = text(lin.get(asked.url))
        assert "¥28.00" in shown
        done = confirm(lin, asked)

        assert done.url == f"/portal/payments/{payment.id}/"
        made = Refund.objects.get()
        assert (made.amount, made.requested_by, made.state) == (
            Money(2800), "lin", RefundState.REQUESTED,
        )  # fmt: skip
        page = text(lin.get(done.url))
        assert "The refund is on its way." in page
        assert "Amount, at most ¥100.00" in page
        assert made.public_id in text(lin.get("/portal/refunds/"))

    def test_the_code_is_for_that_amount_only(self, lin, tea):
        payment = sell(tea)
        asked = ask(lin, payment)
        confirm(lin, asked)
        again = ask(lin, payment, amount="29.00")
        assert again.url.startswith("/confirm/")
        assert Refund.objects.count() == 1

    @pytest.mark.parametrize(
        "amount", ["", "x", "0", "-1", "1.234", "1e3", "１２", "99999999999999999999"]
    )
    def test_an_amount_that_is_none_is_told(self, lin, tea, amount):
        payment = sell(tea)
        answer = ask(lin, payment, amount=amount)
        assert answer.url == f"/portal/payments/{payment.id}/"
        assert "Type an amount such as 28.00" in text(lin.get(answer.url))

    def test_too_much_is_told_with_what_is_left(self, lin, tea):
        payment = sell(tea)
        done = confirm(lin, ask(lin, payment, amount="128.01"))
        assert "At most ¥128.00" in text(lin.get(done.url))
        assert not Refund.objects.exists()

    def test_whoever_only_reads_sees_no_form_and_is_refused(self, tea):
        payment = sell(tea)
        reader = enter(tea, "reader", Role.READ_ONLY)
        assert 'name="number"' not in text(reader.get(f"/portal/payments/{payment.id}/"))
        answer = reader.post(
            f"/portal/payments/{payment.id}/refund/", {"number": "x", "amount": "1"}
        )
        assert answer.status_code == 403

    def test_another_shops_payment_is_like_none(self, lin, tea):
        books = open_shop("Yunjian Books")
        payment = sell(books, "B1")
        answer = lin.post(f"/portal/payments/{payment.id}/refund/", {"number": "x", "amount": "1"})
        assert answer.status_code == 404


class TestReleasing:
    """Above the limit."""

    def test_a_colleague_agrees_in_the_inbox(self, lin, tea):
        payment = sell(tea, amount=Money(500_000))
        mei = enter(tea, "mei", Role.FINANCE)
        done = confirm(mei, ask(mei, payment, amount="1,000.01"))
        assert "waits for a colleague" in text(mei.get(done.url))
        request = Approval.objects.get()

        answer = lin.post(f"/portal/approvals/{request.public_id}/decide/", {"deed": "approve"})
        confirm(lin, answer)

        made = Refund.objects.get()
        assert (made.state, made.released_by) == (RefundState.REQUESTED, "lin")

    def test_a_person_releases_what_a_program_asked_for(self, lin, tea):
        payment = sell(tea, amount=Money(500_000))
        made = refund(tea, _row(payment), 100_001)
        page = f"/portal/refunds/{made.refund.id}/decide/"
        assert page in text(lin.get(f"/portal/payments/{payment.id}/"))

        asked = lin.post(page, {"deed": "release"})
        assert Refund.objects.get().state == RefundState.AWAITING
        confirm(lin, asked)

        assert Refund.objects.get().state == RefundState.REQUESTED
        again = lin.post(page, {"deed": "refuse"}, follow=True)
        assert "does not wait for anybody any more" in text(again)

    def test_or_does_not(self, lin, tea):
        payment = sell(tea, amount=Money(500_000))
        made = refund(tea, _row(payment), 100_001)
        page = f"/portal/refunds/{made.refund.id}/decide/"
        assert lin.post(page, {"deed": "burn"}).status_code == 400
        assert "Nothing goes back" in text(lin.post(page, {"deed": "refuse"}, follow=True))
        assert Refund.objects.get().state == RefundState.REJECTED

    def test_another_shops_refund_is_like_none(self, lin, tea):
        books = open_shop("Yunjian Books")
        made = refund(books, _row(sell(books, "B1")), 100)
        answer = lin.post(f"/portal/refunds/{made.refund.id}/decide/", {"deed": "refuse"})
        assert answer.status_code == 404


def _row(facts: Any) -> Payment:
    return Payment.objects.get(public_id=facts.id)
