"""A list of payments is taken out: all of it, as text that runs nothing, and on record."""

import csv
import io
import tracemalloc

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.models import AuditEntry
from compliance.spreadsheet import DANGEROUS, lines, numeral
from merchants.errors import AccessRefused
from payments.acquiring import exporting, pages
from payments.acquiring.exporting import take_out_own
from payments.acquiring.models import Payment
from payments.acquiring.pages import Place
from payments.acquiring.sieve import Sieve, page_of, read_sieve
from payments.channels.models import Channel
from tests.cast import NOON, order
from tests.payments.crowd import gather

TRAP = '=HYPERLINK("http://x","点我")'


def table(pieces) -> list[dict[str, str]]:
    """The file as a spreadsheet program reads it."""
    content = b"".join(pieces)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def keys_of(shop, **fields) -> list[int]:
    """All pages of the list, turned over by the older links."""
    found, place, sieve = [], Place(), Sieve(**fields)
    while True:
        page = page_of(shop.access, sieve, place=place, size=7)
        found += [row.pk for row in page.rows]
        if not page.older:
            return found
        place = Place(before=page.older)


@pytest.mark.django_db
def test_all_of_the_list_is_in_the_file_in_the_readers_language(tea, books, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 10)
    gather(tea, 35)
    gather(books, 9, name="book")
    with translation.override("en"):
        pieces = take_out_own(tea.access, Sieve(), at=NOON)
    rows = table(pieces)
    assert [row["Payment"] for row in rows] == [f"pay_crowd{n}" for n in range(35, 0, -1)]
    first = rows[0]
    assert (first["Amount"], first["Currency"], first["Status"]) == ("1.35", "CNY", "Closed")
    assert first["Created (Asia/Shanghai)"] == "2026-11-23 12:00:00"
    with translation.override("zh-hans"):
        chinese = table(take_out_own(tea.access, Sieve(status="closed"), at=NOON))
    assert len(chinese) == 5
    assert "Amount" not in chinese[0]


@pytest.mark.django_db
def test_times_are_in_the_zone_that_the_heading_names_though_the_request_is_over(tea):
    order(tea)
    with translation.override("en"), timezone.override("Europe/Berlin"):
        pieces = take_out_own(tea.access, Sieve(), at=NOON)
    [row] = table(pieces)
    assert row["Created (Europe/Berlin)"] == "2026-11-23 05:00:00"


@pytest.mark.django_db
def test_who_took_what_out_is_on_record_with_the_number_of_rows(tea):
    gather(tea, 21)
    sieve = read_sieve({"status": "closed", "least": "1.07"}, livemode=False)
    assert len(table(take_out_own(tea.access, sieve, at=NOON))) == 3
    begun, ended = AuditEntry.objects.filter(action__startswith="payments.export").order_by("pk")
    assert begun.facts == {"status": "closed", "least": "1.07"}
    assert ended.facts == {**begun.facts, "rows": 3, "whole": True}
    assert ended.subject_id == tea.merchant.public_id


@pytest.mark.django_db
def test_a_reader_who_hangs_up_is_on_record_too(tea, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 5)
    gather(tea, 21)
    pieces = take_out_own(tea.access, Sieve(), at=NOON)
    next(pieces), next(pieces), next(pieces)
    pieces.close()
    ended = AuditEntry.objects.get(action="payments.export_ended")
    assert ended.facts == {"rows": 5, "whole": False}


@pytest.mark.django_db
def test_a_subject_that_is_a_formula_is_text_and_long_numbers_stay_whole(tea):
    order(tea, "20261123000000000000000123", subject=TRAP)
    with translation.override("en"):
        [row] = table(take_out_own(tea.access, Sieve(), at=NOON))
    assert row["Subject"] == "'" + TRAP
    assert row["Merchant's order"] == "20261123000000000000000123\t"


@pytest.mark.django_db
def test_a_list_too_long_for_a_spreadsheet_says_that_it_goes_on(tea, monkeypatch):
    monkeypatch.setattr(exporting, "ROWS_MAX", 12)
    monkeypatch.setattr(exporting, "CHUNK", 5)
    gather(tea, 21)
    with translation.override("en"):
        content = b"".join(take_out_own(tea.access, Sieve(), at=NOON)).decode()
    assert content.count("pay_crowd") == 12
    assert "only the first 12 payments" in content.splitlines()[-1]
    assert AuditEntry.objects.get(action="payments.export_ended").facts["whole"] is False


@pytest.mark.django_db
@pytest.mark.slow
def test_a_long_list_needs_no_more_memory_than_a_short_one(tea):
    gather(tea, 12_000)
    for _piece in take_out_own(tea.access, Sieve(), at=NOON):
        pass  # What is made once, is made.
    tracemalloc.start()
    size = sum(len(piece) for piece in take_out_own(tea.access, Sieve(), at=NOON))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 1_400_000
    assert peak < 8_000_000


@pytest.mark.django_db
def test_who_may_not_read_takes_nothing_out(tea):
    access = tea.access
    blind = type(access)(
        merchant_id=access.merchant_id, merchant=access.merchant, livemode=access.livemode,
        abilities=frozenset(), actor=access.actor,
    )  # fmt: skip
    with pytest.raises(AccessRefused):
        take_out_own(blind, Sieve(), at=NOON)
    assert not AuditEntry.objects.filter(action="payments.exported").exists()


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=4), max_size=4))
def test_no_cell_of_any_text_begins_a_formula(rows):
    read = list(csv.reader(io.StringIO(lines(rows).decode(), newline="")))
    for row in read:
        for cell in row:
            plain = cell.lstrip(" \u00a0\u3000")
            assert not plain.startswith(DANGEROUS) or cell[1:].replace(".", "", 1).isdigit()


def test_only_numbers_that_a_spreadsheet_would_round_get_a_tab():
    assert [numeral(text) for text in ("1" * 15, "1" * 16, "pay_1", "一" * 20)] == [
        "1" * 15, "1" * 16 + "\t", "pay_1", "一" * 20,
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "expected"),
    [({"status": "closed"}, lambda n: n % 7 == 0), ({"method": "first"}, lambda n: True),
     ({"method": "nonsense"}, lambda n: True), ({"channel": "second"}, lambda n: False),
     ({"channel": "first", "least": "1.50", "most": "1.60"}, lambda n: 50 <= n <= 60),
     ({"least": "abc", "most": "-5"}, lambda n: True),
     ({"from": "2026-11-24"}, lambda n: False), ({"to": "2026-11-22"}, lambda n: n < 900 - 720),
     ({"from": "2026-11-23", "to": "2026-11-23", "status": "paid"},
      lambda n: n >= 180 and n % 7)],
)  # fmt: skip
def test_filters_narrow_together_and_nonsense_narrows_nothing(tea, books, asked, expected):
    gather(tea, 900)
    gather(books, 9, name="book")
    keys = keys_of(tea, **{
        name: getattr(read_sieve(asked, livemode=False), name)
        for name in ("status", "method", "channel", "least", "most", "first", "last")
    })  # fmt: skip
    numbers = Payment.objects.in_bulk(keys)
    assert [int(numbers[key].public_id.removeprefix("pay_crowd")) for key in keys] == [
        n for n in range(900, 0, -1) if expected(n)
    ]


@pytest.mark.django_db
def test_a_merchants_pages_lead_to_both_ends_and_back(tea, books):
    """Rows of two merchants lie between each other, as they do in life."""
    for number in range(1, 6):
        gather(tea, 10, name=f"tea{number}x")
        gather(books, 10, name=f"book{number}x")
    access = tea.access
    everything = [row.pk for row in Payment.objects.filter(merchant=tea.merchant).order_by("-pk")]
    last = page_of(access, Sieve(), place=Place(is_last=True), size=20)
    assert [row.pk for row in last.rows] == everything[-20:]
    assert last.older == 0
    back = page_of(access, Sieve(), place=Place(after=last.newer), size=20)
    assert [row.pk for row in back.rows] == everything[10:30]
    first = page_of(access, Sieve(), place=Place(after=back.newer), size=20)
    assert [row.pk for row in first.rows] == everything[:20]
    assert first.newer == 0


@pytest.mark.django_db
def test_a_rare_row_is_looked_for_window_by_window(tea, monkeypatch):
    monkeypatch.setattr(pages, "OWN_WINDOW", 30)
    gather(tea, 200, rare=150)
    assert keys_of(tea, status="closed") == [Payment.objects.get(public_id="pay_crowd150").pk]
    page = page_of(tea.access, Sieve(status="closed"), place=Place(), size=7)
    assert (page.rows, page.is_cut) == ([], True)
    last = page_of(tea.access, Sieve(status="closed"), place=Place(is_last=True), size=7)
    assert (last.rows, last.is_cut, last.older) == ([], True, 0)


@pytest.mark.django_db
def test_channels_of_the_other_shop_are_not_asked(tea):
    assert read_sieve({"channel": "first"}, livemode=True).channel == ""
    assert Channel.objects.count() == 2
