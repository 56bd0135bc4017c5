"""What a merchant's people see of their payments, and of nobody else's."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance.audit.actor import SYSTEM
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.acquiring.today import today_of
from payments.callbacks.models import Callback, CallbackTry
from payments.callbacks.waiting import Waiting, waiting_of
from payments.money import Money
from tests.cast import NOON, choose, later, latest_attempt, order
from tests.compliance.people import hire
from tests.payments.crowd import gather, scanned
from tests.scripted import script_of

pytestmark = pytest.mark.django_db


def enter(shop, username: str, role: Role = Role.OWNER) -> Client:
    """The browser of one of a shop's people."""
    person = hire(username)
    add_member(user=person.user, merchant_id=shop.merchant.pk, role=role, actor=SYSTEM, at=NOON)
    client = Client(headers={"accept-language": "en"})
    person.sign_in(client)
    return client


@pytest.fixture
def lin(tea) -> Client:
    """Lin, who owns the tea shop."""
    return enter(tea, "lin")


def sell(shop, number: str = "T1", *, seconds: float = 0, **changes):
    """An order that is paid."""
    payment = order(shop, number, at=later(seconds), **changes)
    attempt = choose(payment, at=later(seconds + 10))
    script_of("first").pay(attempt.number)
    receive(channel_code="first", raw=script_of("first").message(attempt.number), address="")
    return payment


def text(answer) -> str:
    """A page's words."""
    assert answer.status_code == 200
    return str(answer.content.decode())


def fail_once(callback: Callback) -> None:
    """The merchant's program was down."""
    CallbackTry.objects.create(
        callback=callback, number=1, at=later(30), status=503, error="", duration_ms=31,
        answer="<b>busy</b>",
    )  # fmt: skip
    callback.tries, callback.due_at = 1, later(3600)
    callback.save()


def test_the_first_page_sends_a_newcomer_to_the_first_payment(lin):
    page = text(lin.get("/portal/"))
    assert "No payments yet" in page
    assert 'href="/portal/keys/"' in page
    assert "/api/docs/" in page


def test_who_may_not_make_keys_is_not_sent_to_them(tea):
    finance = enter(tea, "gu", Role.FINANCE)
    page = text(finance.get("/portal/"))
    assert "No payments yet" in page
    assert "Create an API key" not in page


def test_the_first_page_shows_what_needs_somebody_and_the_latest_payments(lin, tea):
    payment = sell(tea)
    fail_once(Callback.objects.get())
    page = text(lin.get("/portal/"))
    assert "1 callback did not reach your program" in page
    assert f"/portal/payments/{payment.id}/" in page
    assert "¥128.00" in page


def test_the_day_is_summed_up_by_what_became_of_payments(tea, books):
    """Days are Shanghai's: noon there is 04:00 UTC, and the day began twelve hours before."""
    gather(tea, 2000, rare=10)  # one a minute until noon, of 101 fen and more
    gather(books, 30, name="book")
    day = today_of(tea.access, at=NOON)
    assert (day.today.paid, day.today.closed) == (721 - 73, 73)
    assert day.today.success_percent == pytest.approx(100 * 648 / 721)
    expected = sum(100 + n for n in range(1280, 2001) if n % 10)
    assert day.today.volume == {"CNY": Money(expected)}
    assert day.yesterday.paid + day.yesterday.closed == 560
    assert today_of(books.access, at=NOON).today.paid + 4 == 30


def test_a_day_without_events_has_no_rate(tea):
    day = today_of(tea.access, at=NOON)
    assert day.today.success_percent is None
    assert day.today.volume == {}


def test_waiting_callbacks_are_counted_for_one_merchant(tea, books):
    sell(tea)
    sell(tea, "T2")
    assert waiting_of(tea.access) == Waiting(2, 0)
    fail_once(Callback.objects.earliest("pk"))
    assert waiting_of(tea.access) == Waiting(2, 1)
    assert waiting_of(books.access) == Waiting(0, 0)


def test_the_list_is_turned_over_by_key_and_narrowed_by_status(lin, tea):
    gather(tea, 70)
    seen, path = [], "/portal/payments/"
    while path:
        page = text(lin.get(path))
        seen += re.findall(r"/portal/payments/(pay_[a-z0-9]+)/", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = f"/portal/payments/{older[1]}".replace("&amp;", "&") if older else ""
    assert seen == [f"pay_crowd{n}" for n in range(70, 0, -1)]
    closed = text(lin.get("/portal/payments/?status=closed"))
    assert set(re.findall(r"pay_crowd(\d+)/", closed)) == {str(n) for n in range(7, 71, 7)}
    assert "selected" in closed


def test_a_payment_is_found_by_any_exact_number(lin, tea, books):
    payment = sell(tea, "茶-1")
    sell(books, "书-1")
    attempt = latest_attempt(payment).number
    for number in (payment.id, "茶-1", attempt, f"G{attempt}"):
        found = re.findall(
            r"payments/(pay_\w+)/", text(lin.get("/portal/payments/", {"q": number}))
        )
        assert found == [payment.id], number
    for number in ("书-1", payment.id[:-1], "\x00", "%", "x" * 500):
        page = text(lin.get("/portal/payments/", {"q": number}))
        assert "No payment found" in page or number == "\x00"


@pytest.mark.parametrize("word", ["before=x", "status=odd", "before=99999999999999999999", "q="])
def test_senseless_addresses_show_the_list(lin, tea, word):
    gather(tea, 3)
    assert "pay_crowd3" in text(lin.get(f"/portal/payments/?{word}"))


def test_a_payments_page_tells_its_life(lin, tea):
    payment = order(tea)
    attempt = choose(payment)
    close_payment(access=tea.access, payment=payment.id, at=later(60))
    gateway = script_of("first")
    gateway.orders[attempt.number].paid = payment.amount
    receive(channel_code="first", raw=gateway.message(attempt.number), address="192.0.2.1")
    fail_once(Callback.objects.get())
    page = text(lin.get(f"/portal/payments/{payment.id}/"))
    for word in ("Payment created", "The customer chose First", "Payment closed", "Next try at",
                 "¥128.00 goes back", "Callback, try 1: not delivered", "HTTP 503"):  # fmt: skip
        assert word in page, word
    for inner in ("channel_receivable", "192.0.2.1", "Notification from", "<b>busy"):
        assert inner not in page, inner


def test_another_merchants_payment_answers_like_one_that_is_not_there(lin, tea, books):
    theirs = sell(books, "书-1")
    answers = [lin.get(f"/portal/payments/{number}/") for number in (theirs.id, "pay_nobody")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_callbacks_show_their_state_and_the_next_try(lin, tea):
    payment = sell(tea)
    fail_once(Callback.objects.get())
    page = text(lin.get("/portal/callbacks/"))
    assert "Payment paid" in page
    assert f"/portal/payments/{payment.id}/" in page
    assert f"{later(3600) + timedelta(hours=8):%m-%d %H:%M:%S}" in page


def test_an_event_without_an_address_says_so(books):
    yun = enter(books, "yun")
    sell(books, "书-1")
    assert "No address" in text(yun.get("/portal/callbacks/"))


def test_nothing_yet_to_tell(lin):
    assert "No events yet" in text(lin.get("/portal/callbacks/"))


PAGES = ("/portal/", "/portal/payments/", "/portal/payments/pay_crowd7/", "/portal/callbacks/")


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_sign_in(client, tea, path):
    assert client.get(path).headers["Location"].startswith("/signin/")


@pytest.mark.parametrize(("path", "statements"), list(zip(PAGES, (13, 7, 14, 8), strict=True)))
def test_pages_ask_a_fixed_number_of_questions(
    lin, tea, path, statements, django_assert_num_queries
):
    gather(tea, 9)
    lin.get(path)  # What the process remembers of channels, it remembers.
    with django_assert_num_queries(statements):
        lin.get(path)
    gather(tea, 90, name="more")
    with django_assert_num_queries(statements):
        lin.get(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [*PAGES, "/portal/payments/?status=closed", "/portal/payments/?before=9"]
)
def test_pages_read_no_table_from_end_to_end(lin, tea, books, path):
    gather(books, 3000, name="book")
    gather(tea, 1000)
    with CaptureQueriesContext(connection) as caught:
        assert lin.get(path).status_code == 200
    for query in caught.captured_queries:
        if re.match(r'SELECT (DISTINCT ON \([^)]*\) )?"payments_', query["sql"]):
            assert scanned(query["sql"]) == set(), query["sql"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_nothing_that_the_policy_would_refuse(lin, tea, path):
    gather(tea, 9)
    answer = lin.get(path)
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    html = text(answer)
    assert re.findall(r"<style\b|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=[\"']", html) == []
