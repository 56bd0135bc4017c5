"""Pages that staff read: a payment's whole story, and rows that nobody can change here."""

import re

import pytest

from payments.acquiring.models import Notification, Payment
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.callbacks.models import Callback, CallbackTry
from payments.channels.base import RawMessage
from payments.ledger.models import Journal
from tests.cast import NOON, choose, later, order
from tests.compliance.people import hire
from tests.payments.crowd import gather
from tests.scripted import script_of

pytestmark = pytest.mark.django_db

NAMES = ("payment", "attempt", "notification", "journal", "refund", "event", "callback", "channel")


@pytest.fixture
def late(tea):
    """Tea was paid for after its order was closed."""
    payment = order(tea)
    attempt = choose(payment)
    close_payment(access=tea.access, payment=payment.id, at=later(60))
    message = script_of("first")
    message.orders[attempt.number].paid = payment.amount
    raw = message.message(attempt.number)
    assert receive(channel_code="first", raw=raw, address="192.0.2.1").status == 200
    callback = Callback.objects.get()
    CallbackTry.objects.create(
        callback=callback, number=1, at=later(62), status=500, error="", duration_ms=31,
        answer="<b>down</b>",
    )  # fmt: skip
    return Payment.objects.get(public_id=payment.id)


def titles(answer) -> list[str]:
    """What the timeline says."""
    return [item.title for item in answer.context["timeline"]]


def read(client, path: str):
    """A page, in English."""
    return client.get(path, headers={"accept-language": "en"})


def test_a_payments_page_tells_everything_in_its_order(desk, late):
    answer = read(desk, f"/admin/payments/payment/{late.pk}/change/")
    said = titles(answer)
    for earlier, sooner in (
        ("Payment created", "The customer chose First"),
        ("The customer chose First", "Closing was asked for"),
        ("Closing was asked for", "The attempt was closed"),
        ("The attempt was closed", "Payment closed"),
        ("Payment closed", "Callback, try 1: not delivered"),
    ):
        assert said.index(earlier) < said.index(sooner), said
    assert {"Attempt: Paid too late", "¥128.00 goes back: it came after the end",
            "Booked: payment.late"} <= set(said)  # fmt: skip
    assert any(title.startswith("Notification from First") for title in said)
    page = answer.content.decode()
    assert "¥128.00" in page
    assert "茗山茶业" in page
    assert "channel_receivable:first" in page


def test_a_page_is_found_by_its_public_number_too(desk, late):
    by_number = read(desk, f"/admin/payments/payment/{late.public_id}/change/")
    assert by_number.context["original"] == late
    assert read(desk, "/admin/payments/payment/pay_nobody/change/").status_code == 302


def test_what_came_from_outside_is_shown_as_text(desk, tea):
    forged = RawMessage(
        headers={}, body=b"<script>alert(1)</script>\x00\xff" + b"x" * 9000, received_at=NOON
    )
    receive(channel_code="first", raw=forged, address="192.0.2.66")
    row = Notification.objects.get()
    page = read(desk, f"/admin/payments/notification/{row.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "x" * 9000 not in page
    assert re.search(r"<details>.*<pre", page, re.DOTALL), "folded"


def test_a_merchants_answer_is_escaped(desk, late):
    callback = Callback.objects.get()
    for path in (f"callback/{callback.pk}", f"payment/{late.pk}"):
        page = read(desk, f"/admin/payments/{path}/change/").content.decode()
        assert "<b>down" not in page


def test_a_payments_page_asks_a_fixed_number_of_questions(
    desk, tea, late, django_assert_num_queries
):
    gather(tea, 5)
    short = Payment.objects.get(public_id="pay_crowd5")
    read(desk, f"/admin/payments/payment/{short.pk}/change/")  # Django remembers content types.
    for payment in (short, late):
        with django_assert_num_queries(17):
            read(desk, f"/admin/payments/payment/{payment.pk}/change/")


def test_a_journal_is_shown_with_both_sides(desk, late):
    journal = Journal.objects.get()
    page = read(desk, f"/admin/payments/journal/{journal.pk}/change/").content.decode()
    assert page.count("¥128.00") >= 4
    assert "refund_in_transit:first" in page


def test_nothing_is_added_changed_or_deleted_here(desk, late):
    attempt = late.attempts.get()
    rows = {"payment": late.pk, "channel": attempt.channel_id, "attempt": attempt.pk,
            "journal": Journal.objects.get().pk}  # fmt: skip
    for name, key in rows.items():
        base = f"/admin/payments/{name}/"
        assert desk.get(f"{base}add/").status_code == 403
        assert desk.post(f"{base}{key}/change/", {"subject": "x"}).status_code == 403
        assert desk.post(f"{base}{key}/delete/", {"post": "yes"}).status_code == 403
        desk.post(base, {"action": "delete_selected", "_selected_action": [key]})
    late.refresh_from_db()
    assert late.subject == "明前龙井"


@pytest.mark.parametrize("name", NAMES)
def test_only_staff_with_a_second_factor_get_in(client, tea, name):
    hire("yun").sign_in(client)
    assert client.get(f"/admin/payments/{name}/").status_code in {302, 403}


@pytest.mark.parametrize("name", NAMES)
def test_pages_carry_nothing_that_the_policy_would_refuse(desk, late, name):
    gather(late_shop(late), 2)
    answer = read(desk, f"/admin/payments/{name}/")
    row = answer.context["cl"].result_list[0]
    for page in (answer, read(desk, f"/admin/payments/{name}/{row.pk}/change/")):
        assert page.status_code == 200
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        html = page.content.decode()
        assert re.findall(r"<style\b|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=[\"']", html) == []


def late_shop(payment: Payment):
    """The shop of a payment, as `gather` wants it."""
    return type("Shop", (), {"merchant": payment.merchant})()
