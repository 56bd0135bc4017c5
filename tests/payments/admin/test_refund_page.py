"""The staff refund a payment from its page in the admin."""

import pytest
from django.test import Client

from compliance.approvals.models import Approval
from payments.acquiring.models import Refund
from payments.acquiring.states import RefundState
from tests.compliance.people import confirm, hire
from tests.payments.test_refunding import paid

pytestmark = pytest.mark.django_db


def office(name: str, role: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    hire(name, roles=[role]).sign_in(client)
    return client


def test_an_operator_refunds_with_a_reason_and_the_second_factor(tea):
    payment = paid(tea)
    gao = office("gao", "operator")
    page = f"/admin/payments/payment/{payment.pk}/change/"
    assert "Amount, at most ¥128.00" in gao.get(page).content.decode()

    missing = gao.post(f"/admin/payments/payment/{payment.pk}/refund/", {"amount": "28"})
    assert missing["Location"] == page
    form = {"amount": "28", "reason": "asked by phone"}
    confirm(gao, gao.post(f"/admin/payments/payment/{payment.pk}/refund/", form))

    made = Refund.objects.get()
    assert (made.amount_minor, made.requested_by, made.state) == (
        2800, "gao", RefundState.REQUESTED,
    )  # fmt: skip
    shown = gao.get(page).content.decode()
    assert "Refund of ¥28.00 asked for" in shown
    assert "Amount, at most ¥100.00" in shown


def test_a_large_one_waits_for_the_checker(tea):
    payment = paid(tea, amount=500_000)
    gao, chen = office("gao", "operator"), office("chen", "operator_checker")
    form = {"amount": "1000.01", "reason": "asked by phone"}
    confirm(gao, gao.post(f"/admin/payments/payment/{payment.pk}/refund/", form))
    made = Refund.objects.get()
    assert made.state == RefundState.AWAITING
    inbox = chen.get("/admin/compliance/approval/?show=mine").content.decode()
    assert "Refund a merchant" in inbox
    asked = Approval.objects.get()
    request = chen.get(f"/admin/compliance/approval/{asked.pk}/change/").content.decode()
    about = f"/admin/payments/payment/{made.payment_id}/change/"
    assert f'<a href="{about}">refund {made.public_id}</a>' in request
    assert chen.get(about).status_code == 200


@pytest.mark.parametrize("role", ["operator_checker", "risk", "auditor", "administrator"])
def test_others_of_the_staff_see_no_form_and_are_refused(tea, role):
    payment = paid(tea)
    other = office("other", role)
    page = other.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
    assert "refund-amount" not in page
    answer = other.post(
        f"/admin/payments/payment/{payment.pk}/refund/", {"amount": "28", "reason": "x"}
    )
    assert answer.status_code == 403
    assert not Refund.objects.exists()
