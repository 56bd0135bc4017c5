"""What reports say of money: paid, given back, reconciled, and what is still open."""

from datetime import date, timedelta

import pytest

from compliance.reports.registry import Period
from payments.acquiring.models import Attempt, Payment
from payments.channels.models import Channel
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.states import Found, RunState, Subject
from payments.reports import funds, open_differences, reconciled, transactions
from tests.cast import NOON
from tests.payments.test_refunding import paid, refund, send

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOVEMBER = Period(start=NOON - 3 * DAY, end=NOON + 3 * DAY, cutoff=NOON + 3 * DAY)


def table(part, name):
    [found] = [one for one in part.tables if one.name == name]
    return [list(row) for row in found.rows]


def test_payments_by_day_and_channel_and_what_went_back(tea):
    payment = paid(tea)
    paid(tea, "T2", amount=200)
    refund(tea, payment, 2800)
    send()

    part = transactions(NOVEMBER)

    assert table(part, "payments_by_day") == [["2026-11-23", 2, 13000]]
    assert table(part, "payments_by_channel") == [["first", 2, 2, 2, 13000]]
    assert table(part, "refunds")[0][1:] == [1, 2800]
    assert part.charts[0].values == [2]


def test_the_books_add_up_after_a_refund(tea):
    refund(tea, paid(tea), 2800)
    part = funds(NOVEMBER)
    assert [note.tone for note in part.notes] == ["ok", "ok"]
    assert sum(row[1] for row in table(part, "trial_balance")) == 0


def run_of(tea, day: date, **more) -> ReconciliationRun:
    return ReconciliationRun.objects.create(
        public_id=f"rec_{day}", channel=Channel.objects.get(code="first"), day=day,
        state=RunState.MATCHED, matched_at=NOON, created_at=NOON, **more,
    )  # fmt: skip


def difference(run: ReconciliationRun, key: str, days: int) -> Difference:
    return Difference.objects.create(
        run=run, found=Found.ONLY_OURS, subject=Subject.PAYMENT, key=key, number=key,
        ours_minor=100, found_at=NOVEMBER.cutoff - days * DAY,
    )  # fmt: skip


def test_days_against_their_bills_and_open_differences_by_age(tea):
    run = run_of(
        tea, date(2026, 11, 22), ours_payments_minor=500, ours_refunds_minor=100,
        theirs_payments_minor=400, matched=3,
    )  # fmt: skip
    for number, days in enumerate((1, 5, 6, 20, 40)):
        difference(run, f"att{number}", days)

    part = reconciled(NOVEMBER)

    [row] = table(part, "reconciled_days")
    assert [row[0], row[1], *row[3:]] == ["first", "2026-11-22", 400, 400, 3, 5]
    assert part.charts[0].values == [1, 2, 1, 1]
    assert [row[5] for row in table(part, "open_differences")] == [40, 20, 6, 5, 1]


def test_a_month_without_runs_says_so_and_an_empty_desk_shows_an_empty_table(tea):
    part = reconciled(NOVEMBER)
    assert part.tables == ()
    assert len(part.notes) == 1
    assert open_differences(NOVEMBER).rows == []


def test_live_money_is_not_mixed_with_tests(tea, settings):
    paid(tea)
    settings.DEMO = False
    assert transactions(NOVEMBER).tables == ()
    assert Payment.objects.count() == Attempt.objects.count() == 1
