"""Lists go by key: they count nothing, sift little, and cost the same at any length."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.database import prepared
from payments.acquiring import pages, search
from payments.acquiring.models import Attempt, Payment
from payments.acquiring.positions import first_id_since
from payments.channels.models import Channel
from tests.cast import NOON, choose, order
from tests.payments.crowd import gather, scanned
from tests.scripted import script_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

BIG = ("payment", "attempt", "notification", "journal", "refund", "event", "callback")
STATEMENTS = {
    "payment": 8, "attempt": 7, "notification": 7, "journal": 8, "refund": 6, "event": 6,
    "callback": 6,
}  # fmt: skip
"""Session, person, factor, standing, the rows, what belongs to them, filters, the estimate."""


def address(name: str, query: str = "") -> str:
    """A list of the admin."""
    return f"/admin/payments/{name}/{query}"


def keys(answer) -> list[int]:
    """The rows on the page, in their order."""
    return [row.pk for row in answer.context["cl"].result_list]


def link(answer, rel: str) -> str:
    """Where the page's newer (`prev`) or older (`next`) link leads, or ""."""
    found = re.search(rf'<a href="([^"]*)" rel="{rel}"', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def asked(client, path: str) -> list[str]:
    """The statements of a page."""
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in caught.captured_queries]


@pytest.mark.parametrize("name", BIG)
def test_a_list_asks_as_often_for_many_rows_as_for_few(desk, tea, name, django_assert_num_queries):
    gather(tea, 51, name="few")
    with django_assert_num_queries(STATEMENTS[name]):
        desk.get(address(name))
    gather(tea, 120)
    with django_assert_num_queries(STATEMENTS[name]):
        answer = desk.get(address(name))
    assert len(keys(answer)) == 50


@pytest.mark.parametrize("name", BIG)
def test_a_list_never_counts_nor_reads_a_table_from_end_to_end(desk, tea, name, monkeypatch):
    gather(tea, 4000, rare=500)
    monkeypatch.setattr(pages, "WINDOW", 200)
    state = {"payment": "state__exact=closed", "attempt": "state__exact=closed",
             "callback": "state__exact=given_up", "notification": "verdict__exact=late",
             "event": "type__exact=payment.closed", "refund": "state__exact=failed",
             "journal": "day=today"}[name]  # fmt: skip
    middle = 2000
    for query in ("", f"?before={middle}", f"?after={middle}", f"?{state}", "?day=2026-11-22"):
        statements = asked(desk, address(name, query))
        for sql in statements:
            assert not re.search(r"COUNT\(|DISTINCT|OFFSET", sql), sql
            if re.match(r'SELECT "payments_', sql):
                assert scanned(sql) == set(), sql


@pytest.mark.parametrize("name", BIG)
def test_paging_shows_each_row_once_and_leads_back_again(desk, tea, name):
    gather(tea, 120)
    answer = desk.get(address(name))
    pages = [keys(answer)]
    while older := link(answer, "next"):
        answer = desk.get(address(name, older))
        pages.append(keys(answer))
    seen = [key for page in pages for key in page]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert seen == sorted(set(seen), reverse=True)

    back = desk.get(address(name, link(answer, "prev")))
    assert keys(back) == pages[1]
    first = desk.get(address(name, link(back, "prev")))
    assert keys(first) == pages[0]
    assert link(first, "prev") == ""


def test_the_length_is_told_without_counting(desk, tea):
    gather(tea, 1200)
    page = desk.get(address("payment")).content.decode()
    assert re.search(r'<p class="quiet">[^<]*1,?200[^<]*</p>', page)
    whole = desk.get(address("payment", "?q=Cfew9"))
    assert keys(whole) == []
    assert link(whole, "next") == ""


def test_a_rare_state_is_found_piece_by_piece(desk, tea, monkeypatch):
    """Three of 300 rows are closed; a page looks at 100 rows and says where it stopped."""
    gather(tea, 300, rare=100)
    monkeypatch.setattr(pages, "WINDOW", 99)
    answer = desk.get(address("payment", "?state__exact=closed"))
    found, steps = keys(answer), 1
    while older := link(answer, "next"):
        answer = desk.get(address("payment", older))
        found, steps = found + keys(answer), steps + 1
    assert found == list(
        Payment.objects.filter(state="closed").order_by("-pk").values_list("pk", flat=True)
    )
    assert len(found) == 3
    assert steps in {4, 5}
    up = desk.get(address("payment", link(answer, "prev")))
    assert set(keys(up)) <= set(found)


def test_a_filter_starts_at_the_top_again(desk, tea):
    gather(tea, 120)
    second = desk.get(address("payment", link(desk.get(address("payment")), "next")))
    filters = re.findall(r'<a href="(\?[^"]*state__exact=paid[^"]*)"', second.content.decode())
    assert filters
    assert not any("before" in one for one in filters)


@pytest.mark.parametrize("word", ["before=x", "before=-1", "before=" + "9" * 40, "after=0", "p=7"])
def test_a_senseless_position_shows_the_first_page(desk, tea, word):
    gather(tea, 3)
    assert len(keys(desk.get(address("payment", f"?{word}")))) == 3


def test_another_order_is_not_offered(desk, tea):
    gather(tea, 5)
    assert keys(desk.get(address("payment", "?o=3"))) == keys(desk.get(address("payment")))


def test_the_day_filter_goes_straight_to_the_day(desk, tea):
    gather(tea, 4000)  # a payment a minute: 2 days and 18 hours until noon
    answer = desk.get(address("payment", "?day=2026-11-21"))
    days = {
        row.created_at.astimezone(NOON.astimezone().tzinfo)
        for row in answer.context["cl"].result_list
    }
    start = NOON - timedelta(hours=60)
    assert all(start <= day < start + timedelta(days=1) for day in days)
    assert len(keys(answer)) == 50
    total, path = 0, address("payment", "?day=2026-11-21")
    while path:
        answer = desk.get(path)
        total += len(keys(answer))
        older = link(answer, "next")
        path = address("payment", older) if older else ""
    assert total == 24 * 60


@pytest.mark.parametrize("word", ["2026-13-01", "x", "9999-12-31", "0001-01-01", "1999-01-01"])
def test_a_day_that_is_none_hides_nothing_or_all(desk, tea, word):
    gather(tea, 3)
    assert desk.get(address("payment", f"?day={word}")).status_code == 200


def test_a_moment_is_found_by_halving(tea):
    gather(tea, 500)
    rows = list(Payment.objects.order_by("pk").values_list("pk", "created_at"))
    for at in (NOON - timedelta(days=9), NOON - timedelta(minutes=200), NOON + timedelta(days=1)):
        expected = [key for key, made in rows if made >= at - timedelta(hours=3)]
        found = first_id_since("payments_payment", "created_at", at=at)
        assert found == (expected[0] if expected else rows[-1][0] + 1)


def test_an_empty_table_has_no_moments(db):
    assert first_id_since("payments_payment", "created_at", at=NOON) == 0


def test_a_payment_is_found_by_every_number_that_somebody_may_have(desk, tea):
    gather(tea, 50)
    payment = order(tea, "茶-2026/1")
    attempt = choose(payment)
    script_of("first").pay(attempt.number)
    Attempt.objects.filter(pk=attempt.pk).update(gateway_number="GATEWAY-7")
    row = Payment.objects.get(public_id=payment.id)
    for number in (payment.id, "茶-2026/1", attempt.number, "GATEWAY-7", f" {payment.id} "):
        assert keys(desk.get(address("payment"), {"q": number})) == [row.pk], number
    assert keys(desk.get(address("payment"), {"q": payment.id[:-1]})) == []
    assert len(keys(desk.get(address("payment"), {"q": tea.merchant.public_id}))) == 50
    assert keys(desk.get(address("payment"), {"q": "mch_unknown"})) == []


def test_the_search_reads_no_table_from_end_to_end(tea):
    gather(tea, 4000)
    values = {
        "number": "GPcrowd77",
        "merchants": [tea.merchant.pk],
        "modes": [False, True],
        "limit": 9,
    }
    plan = "\n".join(row[0] for row in prepared(f"EXPLAIN {search._FIND}", values))
    assert "Seq Scan" not in plan, plan
    assert len(search.find_payment_ids("GPcrowd77")) == 1


@pytest.mark.parametrize(
    ("name", "number"),
    [("attempt", "attcrowd7"), ("attempt", "GGPcrowd7"), ("attempt", "pay_crowd7"),
     ("notification", "attcrowd7"), ("notification", "n-attcrowd7"), ("journal", "pay_crowd7"),
     ("event", "pay_crowd7"), ("callback", "pay_crowd7"), ("refund", "pay_crowd7")],
)  # fmt: skip
def test_other_lists_are_searched_exactly_and_by_an_index(desk, tea, name, number):
    gather(tea, 4000)
    assert len(keys(desk.get(address(name), {"q": number}))) == 1
    assert keys(desk.get(address(name), {"q": number[:-1]})) == []
    for sql in asked(desk, address(name, f"?q={number}")):
        if re.match(r'\(?SELECT "payments_', sql):
            assert scanned(sql) == set(), sql


def test_channels_show_no_secret(desk, tea):
    channel = Channel.objects.earliest("pk")
    for path in (address("channel"), address("channel", f"{channel.pk}/change/")):
        page = desk.get(path).content.decode()
        assert channel.credentials_sealed not in page
        assert "credentials" not in page
