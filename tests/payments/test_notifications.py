"""Messages from gateways: only authentic, matching ones move money, and each of them only once."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.models import AuditEntry
from payments.acquiring.facts import document
from payments.acquiring.models import Attempt, Notification, Payment, Refund, Verdict
from payments.acquiring.notifications import KEPT_PER_MINUTE, receive
from payments.acquiring.pay import close_payment
from payments.acquiring.queries import get_payment
from payments.acquiring.states import AttemptState, PaymentState
from payments.callbacks.models import Callback, Event
from payments.channels.base import RawMessage, Reply
from payments.channels.registry import ChannelUnknown
from payments.ledger.models import Journal, Posting
from payments.money import Money
from tests.cast import NOON, choose, later, latest_attempt, order
from tests.scripted import script_of


@pytest.fixture
def waiting(tea):
    """A payment whose customer is looking at the QR code."""
    payment = order(tea)
    return payment, choose(payment)


def hear(attempt: Attempt, **changes: Any) -> Reply:
    return receive(
        channel_code="first",
        raw=script_of("first").message(attempt.number, **changes),
        address="192.0.2.1",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"minor": 12799}, "amount"),
        ({"minor": 12801}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"merchant": "somebody-else"}, "merchant"),
        ({"number": "att00000000000000000000000000"}, "number"),
    ],
)
def test_an_authentic_message_that_does_not_match_moves_nothing(
    tea, waiting, changes, reason, sound
):
    payment, attempt = waiting
    reply = hear(attempt, **changes)
    assert reply.status == 400
    kept = Notification.objects.get()
    assert (kept.verdict, kept.reason) == (Verdict.MISMATCH, reason)
    assert get_payment(tea.access, payment.id).status is PaymentState.PENDING
    assert Journal.objects.count() == 0
    if reason != "number":
        assert AuditEntry.objects.filter(action="attempt.contradicted").count() == 1
    sound()


@pytest.mark.django_db
def test_a_message_on_the_wrong_channel_does_not_count(tea, waiting):
    _, attempt = waiting
    raw = script_of("first").message(attempt.number)
    assert receive(channel_code="second", raw=raw, address="").status == 400
    assert Notification.objects.get().reason == "channel"


@pytest.mark.django_db
def test_the_right_message_after_a_wrong_one_is_booked(tea, waiting):
    payment, attempt = waiting
    hear(attempt, minor=1)
    assert hear(attempt).status == 200
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID


@pytest.mark.django_db
def test_the_short_way_and_the_long_way_leave_the_same_rows(tea, books, sound):
    rows: list[list[list[Any]]] = []
    for number, is_short in (("T1", False), ("T2", True)):  # The long way opens the accounts.
        payment = order(tea, number, metadata={"cart": {"nr": 7}}, subject="明前龙井")
        attempt = choose(payment)
        if not is_short:
            Payment.objects.filter(public_id=payment.id).update(checkout_token="")
        with CaptureQueriesContext(connection) as caught:
            assert hear(attempt).status == 200
        assert any("payment.paid" in sent["sql"] for sent in caught)
        assert (len(caught) == 1) is is_short
        told = Event.objects.get(subject=payment.id)
        assert told.data == document(get_payment(tea.access, payment.id))
        rows.append(
            [
                [*Attempt.objects.filter(pk=attempt.pk).values_list("state", "ended_at", "ask_at")],
                [*Notification.objects.filter(number=attempt.number).values(
                    "channel_id", "headers", "address", "copies", "verdict", "reason")],
                [*Posting.objects.filter(journal__subject=payment.id).order_by("amount_minor")
                 .values("account_id", "amount_minor", "journal__kind", "journal__at")],
                [*Callback.objects.filter(event=told).values(
                    "merchant_id", "url", "state", "due_at", "created_at")],
                [(told.type, told.merchant_id, told.livemode, told.created_at)],
                [{**entry, "facts": sorted(entry["facts"])} for entry in AuditEntry.objects.filter(
                    subject_id=payment.id, action="payment.paid").values(
                    "actor_kind", "actor_id", "actor_label", "address", "facts", "at")],
            ]
        )  # fmt: skip
    assert rows[0] == rows[1]
    assert all(len(kind) in {1, 2} for kind in rows[0])
    sound()


@pytest.mark.django_db
def test_an_unsigned_message_is_kept_once_as_evidence_and_believed_never(tea, waiting):
    payment, attempt = waiting
    raw = script_of("first").message(attempt.number)
    forged = RawMessage(headers={}, body=raw.body, received_at=NOON)
    for _ in range(3):
        assert receive(channel_code="first", raw=forged, address="192.0.2.66").status == 400
    kept = Notification.objects.get()
    assert (kept.verdict, kept.reason, kept.copies) == (Verdict.REFUSED, "unsigned", 3)
    assert get_payment(tea.access, payment.id).status is PaymentState.PENDING


@pytest.mark.django_db
def test_a_message_is_kept_with_the_headers_that_sign_it(tea, waiting):
    _, attempt = waiting
    told = script_of("first").message(attempt.number)
    more = {"signature": "c2lnbmVk", "odd": "\0\\u0000é", "cookie": "no", "long": "x" * 5000}
    for headers in ({**told.headers, **more}, more):
        raw = RawMessage(headers=headers, body=told.body, received_at=NOON)
        receive(channel_code="first", raw=raw, address="192.0.2.1")
    booked, refused = Notification.objects.order_by("pk")
    assert (booked.verdict, refused.verdict) == (Verdict.BOOKED, Verdict.REFUSED)
    kept = {"signature": "c2lnbmVk", "odd": "\\u0000é", "long": "x" * 1024}
    assert booked.headers == {"x-sealed": "yes", **kept}
    assert refused.headers == kept


@pytest.mark.django_db
def test_a_message_that_ends_an_attempt_is_told_in_its_row(tea, waiting, sound):
    _, attempt = waiting
    assert hear(attempt, state="closed").status == 200
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.CLOSED
    told = Notification.objects.get()
    assert (told.verdict, told.number) == (Verdict.BOOKED, attempt.number)
    assert hear(attempt, state="closed").status == 200
    assert Notification.objects.get().copies == 2
    sound()


@pytest.mark.django_db
def test_a_flood_of_forgeries_fills_no_table(tea):
    for number in range(KEPT_PER_MINUTE + 20):
        raw = RawMessage(headers={}, body=b"forged %d" % number, received_at=NOON)
        assert receive(channel_code="first", raw=raw, address="").status == 400
    assert Notification.objects.count() <= KEPT_PER_MINUTE


@pytest.mark.django_db
def test_a_forged_copy_sent_first_does_not_shadow_the_true_message(tea, waiting):
    payment, attempt = waiting
    raw = script_of("first").message(attempt.number)
    receive(
        channel_code="first",
        raw=RawMessage(headers={}, body=raw.body, received_at=NOON),
        address="",
    )
    assert receive(channel_code="first", raw=raw, address="").status == 200
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID


@pytest.mark.django_db
def test_an_unknown_channel_has_no_address(tea):
    with pytest.raises(ChannelUnknown):
        receive(
            channel_code="nobody",
            raw=RawMessage(headers={}, body=b"", received_at=NOON),
            address="",
        )


@pytest.mark.django_db(transaction=True)
def test_ten_copies_at_once_book_once(tea, waiting, sound):
    payment, attempt = waiting
    raw = script_of("first").message(attempt.number)
    start, statuses = threading.Barrier(10), []

    def deliver() -> None:
        try:
            start.wait()
            statuses.append(receive(channel_code="first", raw=raw, address="192.0.2.1").status)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 10
    assert Notification.objects.get().copies == 10
    assert Journal.objects.count() == Event.objects.count() == 1
    assert get_payment(tea.access, payment.id).status is PaymentState.PAID
    sound()


@pytest.mark.django_db(transaction=True)
def test_ten_different_messages_about_one_payment_book_once(tea, waiting, sound):
    _, attempt = waiting
    raws = [script_of("first").message(attempt.number, key=f"n{i}") for i in range(10)]
    start, statuses = threading.Barrier(10), []

    def deliver(raw) -> None:
        try:
            start.wait()
            statuses.append(receive(channel_code="first", raw=raw, address="192.0.2.1").status)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver, args=[raw]) for raw in raws]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 10
    verdicts = sorted(Notification.objects.values_list("verdict", flat=True))
    assert verdicts == ["already"] * 9 + ["booked"]
    assert Journal.objects.count() == 1
    sound()


@pytest.mark.django_db
def test_money_that_comes_after_closing_goes_back_in_full(tea, waiting, sound):
    payment, attempt = waiting
    message = script_of("first").message(attempt.number)
    close_payment(access=tea.access, payment=payment.id, at=later(60))
    assert get_payment(tea.access, payment.id).status is PaymentState.CLOSED

    assert receive(channel_code="first", raw=message, address="").status == 200

    assert latest_attempt(payment).state == AttemptState.LATE
    refund = Refund.objects.get()
    assert refund.amount == Money(12800)
    assert refund.is_late_return
    assert get_payment(tea.access, payment.id).status is PaymentState.CLOSED
    assert Notification.objects.get().verdict == Verdict.LATE
    sound()


@pytest.mark.django_db
def test_two_methods_paid_at_once_keep_the_first_and_return_the_second(tea, waiting, sound):
    payment, first = waiting
    script_of("first").can_close = False
    second = choose(payment, "second", at=later(30))
    script_of("second").pay(second.number)
    raw = script_of("second").message(second.number)
    assert receive(channel_code="second", raw=raw, address="").status == 200
    assert hear(first).status == 200
    assert get_payment(tea.access, payment.id).channel == "second"
    assert Refund.objects.get().attempt == first
    sound()
