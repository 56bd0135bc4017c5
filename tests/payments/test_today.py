"""The day in figures and pictures: its own merchant's for a merchant, everybody's for the staff."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from payments.acquiring import today
from payments.acquiring.charts import (
    HEIGHT,
    VISIBLE,
    paid_figure,
    picture_of,
    refund_figure,
    volume_figure,
)
from payments.acquiring.today import (
    PAID,
    Today,
    _figures,
    _hours,
    today_of,
    today_of_all,
)
from payments.money import Money
from tests.cast import NOON
from tests.compliance.people import hire
from tests.payments.crowd import gather, scanned


@pytest.mark.django_db
def test_hours_of_both_days_add_up_to_the_days(tea):
    gather(tea, 2000, rare=10)
    day = today_of(tea.access, at=NOON)
    assert sum(one.paid for one in day.hours) == day.today.paid == 648
    assert sum(one.volume.minor for one in day.hours) == day.today.volume["CNY"].minor
    assert [one.hour for one in day.hours if one.paid] == [*range(12)]
    # Yesterday is whole in the picture, and until the same time in the figures.
    assert sum(one.paid_before for one in day.hours) == 1279 - 127
    assert day.yesterday.paid < 1279 - 127


@pytest.mark.django_db
def test_success_is_told_by_channel(tea, books):
    gather(tea, 300, rare=3)
    gather(books, 60, rare=2, name="book")
    [own] = today_of(tea.access, at=NOON).channels
    assert (own.name, own.paid, own.ended) == ("First", 200, 300)
    assert own.percent == pytest.approx(100 * 200 / 300)
    [everybody] = today_of_all(livemode=False, at=NOON).channels
    assert (everybody.paid, everybody.ended) == (230, 360)
    assert today_of_all(livemode=True, at=NOON).channels == []


@pytest.mark.django_db
def test_the_staffs_day_is_the_sum_of_all_merchants(tea, books):
    gather(tea, 100)
    gather(books, 40, name="book")
    own, theirs = (today_of(shop.access, at=NOON).today for shop in (tea, books))
    everybody = today_of_all(livemode=False, at=NOON).today
    assert everybody.paid == own.paid + theirs.paid
    assert everybody.volume["CNY"] == own.volume["CNY"] + theirs.volume["CNY"]


@pytest.mark.django_db
def test_refunds_of_the_day_are_told_with_their_sum(tea):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_event (public_id, merchant_id, livemode, type, subject, data,"
            " created_at) SELECT 'evt_r' || n, %s, false, 'refund.succeeded', 'ref_' || n,"
            """ '{"amount": 250, "currency": "CNY"}', %s - n * interval '10 hours'"""
            " FROM generate_series(1, 3) AS n",
            [tea.merchant.pk, NOON],
        )
    day = today_of(tea.access, at=NOON)
    assert (day.today.refunds, day.today.refunded) == (1, {"CNY": Money(250)})
    with translation.override("en"):
        assert refund_figure(day).value == "¥2.50"
        assert refund_figure(day).note.startswith("1 refund · ")


@pytest.mark.django_db
def test_only_two_days_are_read_and_by_key(tea, books):
    gather(books, 3000, name="book")
    gather(tea, 1000)
    values = {"merchant": tea.merchant.pk, "livemode": False, "first": 1, **today._moments(NOON)}
    for sql in (today._OWN_EVENTS, today._OWN_ATTEMPTS, today._ALL_EVENTS, today._ALL_ATTEMPTS):
        assert scanned(sql, values) == set(), sql


@pytest.mark.django_db
@pytest.mark.parametrize("of_all", [True, False])
def test_a_day_takes_four_statements_at_any_length(tea, of_all, django_assert_num_queries):
    access = tea.access
    for name in ("few", "more"):
        gather(tea, 50, name=name)
        with CaptureQueriesContext(connection) as caught:
            today_of_all(livemode=False, at=NOON) if of_all else today_of(access, at=NOON)
        assert len(caught) == 4


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 23), st.integers(1, 9), st.integers(0, 10**12))
    )
)
def test_bars_stand_in_their_places_and_none_is_lost(rows):
    events = [(now, True, hour, PAID, "CNY", count, minor) for now, hour, count, minor in rows]
    day = Today(
        today=_figures([row[3:] for row in events if row[0]]),
        yesterday=_figures([row[3:] for row in events if not row[0]]),
        hours=_hours(events), channels=[], at=NOON,
    )  # fmt: skip
    picture = picture_of(day)
    for bar in picture.bars:
        assert 0 <= bar.x_before < bar.x < 720
        for height, top, money in (
            (bar.height, bar.y, bar.hour.volume),
            (bar.height_before, bar.y_before, bar.hour.volume_before),
        ):
            assert (height > 0) == (money.minor > 0)
            assert height == 0 or VISIBLE <= height <= HEIGHT
            assert top + height == pytest.approx(HEIGHT, abs=0.011)
    assert sum(bar.hour.paid for bar in picture.bars) == day.today.paid


@pytest.mark.django_db
def test_nothing_yet_is_said_in_words(tea):
    day = today_of(tea.access, at=NOON)
    picture = picture_of(day)
    assert picture.is_empty
    assert picture.rates == []
    with translation.override("en"):
        assert volume_figure(day).note == "None yesterday at this time"
        assert paid_figure(day).value == "0"


@pytest.mark.django_db
def test_the_admins_first_page_shows_the_day_without_a_style(client: Client, tea):
    caches["default"].clear()
    hire("wei", roles=["operator"]).sign_in(client)
    gather(tea, 10)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_event SET created_at = now()")
        cursor.execute("UPDATE payments_attempt SET created_at = now()")
    answer = client.get("/admin/", headers={"accept-language": "en"})
    html = answer.content.decode()
    assert "Today, all merchants" in html
    assert '<svg class="chart hours"' in html
    assert "<rect" in html
    assert re.findall(r"<style\b|\sstyle=|<script(?![^>]*\bsrc=)", html) == []
    assert "As a table" in html
    assert answer.context["day"].bars[0].hour.hour == 0
    assert sum(bar.hour.paid for bar in answer.context["day"].bars) == 9
    # For half a minute nobody asks again.
    gather(tea, 10, name="more")
    assert client.get("/admin/").context["figures"][1].value == "9"
    caches["default"].clear()


@pytest.mark.django_db
def test_a_day_ends_at_midnight_here(tea):
    gather(tea, 60)
    midnight = NOON + timedelta(hours=12)
    assert today_of(tea.access, at=midnight - timedelta(seconds=1)).today.paid == 52
    assert today_of(tea.access, at=midnight).today.paid == 0
