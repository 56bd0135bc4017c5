"""The evening: bills are held against the books, and every difference is found exactly once."""

import itertools
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.audit.models import AuditEntry
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.received import pieces_of
from payments.acquiring.attempts import order_of
from payments.acquiring.janitor import claim_to_ask, look_after
from payments.channels.base import Rejected, TradeState, Unknown
from payments.channels.bills import LineKind, LineState
from payments.channels.models import Channel
from payments.ledger.balances import balance
from payments.ledger.checks import breaks
from payments.ledger.models import AccountKind, Journal
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.models import Bill, Difference, LoadedLine, ReconciliationRun
from payments.reconciliation.run import (
    ASKED_WITHIN,
    DEADLINE,
    LEASE,
    begin,
    begin_due,
    claim,
    claim_due,
)
from payments.reconciliation.states import DifferenceState, Ending, RunState
from payments.reconciliation.tasks import begin_reconciliations, go_on_reconciling
from tests.payments.evening import DAY, MORNING, NOON, Evening, FakeBills, fee, found
from tests.scripted import Kept, ScriptedGateway, script_of

pytestmark = pytest.mark.django_db

NEXT = DAY + timedelta(days=1)
OPEN, EXPLAINED = "open", "explained"


@pytest.fixture
def evening(tea, monkeypatch) -> Evening:
    bills = FakeBills()
    monkeypatch.setattr(ScriptedGateway, "bills", bills, raising=False)
    Channel.objects.update(created_at=NOON - timedelta(days=30))
    made = Evening(shop=tea, channel=Channel.objects.get(code="first"), bills=bills)
    made.agree_on_fees()
    return made


def owed(kind: AccountKind = AccountKind.CHANNEL_RECEIVABLE) -> int:
    return balance(kind, "first", "CNY", livemode=False).minor


# --- what is found ------------------------------------------------------------------------------


def test_a_day_on_which_everybody_agrees(evening):
    tea = evening.both("T1", 12800)
    evening.both("T2", 83)
    evening.gave_back(tea, "R1", 3000)
    evening.billed("R1", 3000, kind=LineKind.REFUND)

    run = evening.reconcile()

    assert found() == {}
    assert (run.state, run.matched) == (RunState.MATCHED, 3)
    assert (run.ours_payments, run.ours_payments_minor) == (2, 12883)
    assert (run.theirs_payments, run.theirs_payments_minor) == (2, 12883)
    assert (run.ours_refunds_minor, run.theirs_refunds_minor) == (3000, 3000)
    assert owed() == 12883 - 3000 - fee(12800) - fee(83)
    assert owed(AccountKind.CHANNEL_FEE_EXPENSE) == fee(12800) + fee(83)
    assert list(breaks()) == []


def test_each_class_is_found_and_told_from_the_others(evening):
    evening.both("GOOD")
    evening.booked("OURS")
    evening.billed("THEIRS")
    evening.booked("AMOUNT", 10000)
    evening.billed("AMOUNT", 10001)
    evening.booked("FEE", 10000)
    evening.billed("FEE", 10000, cost=61)
    evening.booked("STATUS", state="closed")
    evening.billed("STATUS")
    evening.both("TWICE")
    evening.billed("TWICE", theirs="another")
    evening.booked("LATE", at=NOON - timedelta(days=1))
    evening.billed("LATE")

    run = evening.reconcile()

    assert found() == {
        ("only_ours", "OURS"): OPEN, ("only_theirs", "THEIRS"): OPEN, ("amount", "AMOUNT"): OPEN,
        ("fee", "FEE"): OPEN, ("status", "STATUS"): OPEN, ("duplicate", "TWICE"): OPEN,
        ("day_shift", "LATE"): EXPLAINED,
    }  # fmt: skip
    assert run.matched == 2
    assert Difference.objects.get(found="duplicate").gateway_number == "another"


def test_lines_without_our_number_and_disputes_are_not_lost(evening):
    evening.billed("", 500, theirs="gw1", kind=LineKind.DISPUTE, cost=0)
    evening.billed("", 500, theirs="gw2", kind=LineKind.DISPUTE, cost=0)
    evening.billed("", 900, theirs="gw3")
    evening.reconcile()
    assert found() == {
        ("only_theirs", "gw1"): OPEN, ("only_theirs", "gw2"): OPEN, ("only_theirs", "gw3"): OPEN,
    }  # fmt: skip


def test_refunds_are_compared_by_what_became_of_them(evening):
    tea = evening.both("T1")
    for number, ours, theirs in (
        ("R1", "failed", LineState.FAILED), ("R2", "sent", LineState.PENDING),
        ("R3", "succeeded", LineState.PENDING), ("R4", "failed", LineState.DONE),
    ):  # fmt: skip
        evening.gave_back(tea, number, 100, state=ours)
        evening.billed(number, 100, kind=LineKind.REFUND, state=theirs)
    evening.reconcile()
    assert found() == {("status", "R3"): OPEN, ("status", "R4"): OPEN}
    assert {row.number: row.delta.minor for row in Difference.objects.all()} == {
        "R3": 100, "R4": -100,
    }  # fmt: skip


def test_another_channels_payment_of_the_same_number_is_not_ours(evening):
    attempt = evening.booked("T1")
    attempt.channel = Channel.objects.get(code="second")
    attempt.save()
    evening.billed("T1")
    evening.reconcile()
    assert found() == {("only_theirs", "T1"): OPEN}


def test_without_an_agreed_fee_fees_are_booked_and_not_judged(evening):
    run_channel = Channel.objects.get(code="second")
    other = Evening(shop=evening.shop, channel=run_channel, bills=evening.bills)
    other.booked("T1")
    other.billed("T1", cost=9999)
    other.reconcile()
    assert found() == {}


# --- again and again ----------------------------------------------------------------------------


def everything() -> list[object]:
    return [
        list(Difference.objects.order_by("pk").values()),
        list(Journal.objects.order_by("pk").values_list("kind", "subject")),
        Bill.objects.count(), LoadedLine.objects.count(), StoredFile.objects.count(),
    ]  # fmt: skip


def test_the_same_bill_twice_changes_nothing(evening):
    evening.both("T1")
    evening.booked("T2")
    evening.billed("T3")
    first = evening.reconcile()
    before = everything()
    second = evening.reconcile(at=MORNING + timedelta(hours=5))
    assert everything() == before
    assert second.matched == first.matched == 1
    assert second.matched_at is not None


def test_the_bill_is_kept_as_it_came_and_sealed(evening):
    evening.both("T1")
    run = evening.reconcile()
    assert run.bill is not None
    kept = b"".join(pieces_of(run.bill.file))
    assert b'"T1"' in kept
    assert bytes(run.bill.sha256) == bytes(run.bill.file.sha256)
    entry = AuditEntry.objects.get(action="reconciliation.bill_kept")
    assert entry.facts["sha256"] == bytes(run.bill.sha256).hex()


def test_a_corrected_bill_explains_what_it_mends_and_books_the_change_of_fees(evening):
    evening.both("T1", 10000)
    evening.booked("T2", 10000)
    evening.billed("T3", 5000)
    evening.reconcile()
    assert owed(AccountKind.CHANNEL_FEE_EXPENSE) == 60

    evening.bills.days[DAY].pop()
    evening.billed("T2", 10000)
    run = evening.reconcile(at=MORNING + timedelta(hours=5))

    assert found() == {("only_ours", "T2"): EXPLAINED, ("only_theirs", "T3"): EXPLAINED}
    assert (run.matched, Bill.objects.count()) == (2, 2)
    assert owed(AccountKind.CHANNEL_FEE_EXPENSE) == 120
    assert list(breaks()) == []


def test_what_explained_itself_and_is_found_again_is_open_again(evening):
    evening.booked("T1")
    evening.billed("T2")
    evening.reconcile()
    evening.billed("T1")
    evening.reconcile(at=MORNING + timedelta(hours=1))
    assert found()["only_ours", "T1"] == EXPLAINED
    evening.bills.days[DAY].pop()
    evening.reconcile(at=MORNING + timedelta(hours=2))
    assert found()["only_ours", "T1"] == OPEN


def test_lines_are_evidence_that_nobody_changes(evening):
    evening.both("T1")
    evening.reconcile()
    for sql in ("UPDATE payments_billline SET amount_minor = 1", "DELETE FROM payments_billline",
                "TRUNCATE payments_billline"):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert LoadedLine.objects.get().amount_minor == 10000


# --- days ---------------------------------------------------------------------------------------


def test_what_stands_in_the_next_days_bill_explains_itself(evening):
    evening.both("T1")
    evening.booked("T2", at=NOON + timedelta(hours=11, minutes=59))
    evening.reconcile()
    assert found() == {("only_ours", "T2"): OPEN}

    evening.billed("T2", day=NEXT, at=NOON + timedelta(hours=12, seconds=1))
    evening.reconcile(NEXT, at=MORNING + timedelta(days=1))
    evening.go_on(at=MORNING + timedelta(days=1))

    assert found() == {("only_ours", "T2"): EXPLAINED}
    assert found(NEXT) == {("day_shift", "T2"): EXPLAINED}
    assert Difference.objects.get(found="only_ours").ending == Ending.SHIFTED


def test_a_line_that_came_before_our_own_day_explains_itself(evening):
    evening.billed("T1")
    evening.both("T2")
    evening.booked("T1", at=NOON + timedelta(hours=12, minutes=5))
    evening.reconcile()
    assert found() == {("day_shift", "T1"): EXPLAINED}
    evening.billed("T3", day=NEXT)
    evening.booked("T3", at=NOON + timedelta(days=1))
    evening.reconcile(NEXT, at=MORNING + timedelta(days=1))
    assert found(NEXT) == {}


def test_the_days_may_be_matched_in_any_order(evening):
    evening.both("T1")
    evening.booked("T2")
    evening.billed("T2", day=NEXT)
    evening.reconcile(NEXT, at=MORNING + timedelta(days=1))
    evening.reconcile(at=MORNING + timedelta(days=1))
    assert found() == {}
    assert found(NEXT) == {("day_shift", "T2"): EXPLAINED}


def test_a_shift_with_another_amount_stays_open(evening):
    evening.booked("T1", 10000, at=NOON - timedelta(days=1))
    evening.billed("T1", 20000)
    evening.reconcile()
    assert found() == {("amount", "T1"): OPEN}


def test_a_line_that_comes_again_on_the_next_day_is_a_duplicate(evening):
    evening.both("T1")
    evening.reconcile()
    evening.billed("T1", day=NEXT, theirs="gwT1again")
    evening.reconcile(NEXT, at=MORNING + timedelta(days=1))
    assert found(NEXT) == {("duplicate", "T1"): OPEN}


def test_what_was_learned_after_the_matching_explains_itself(evening):
    attempt = evening.booked("T1", state="closed")
    evening.billed("T1")
    evening.reconcile()
    assert found() == {("status", "T1"): OPEN}
    attempt.delete()
    evening.booked("T1b")
    attempt = evening.booked("T9")
    attempt.number = "T1"
    attempt.save()
    ReconciliationRun.objects.update(due_at=MORNING)
    evening.go_on(at=MORNING)
    assert found()["status", "T1"] == EXPLAINED


def test_a_payment_whose_news_never_came_is_asked_about_and_booked_by_itself(evening):
    attempt = evening.booked("T1", state="open")
    script_of("first").orders["T1"] = Kept(
        order=order_of(attempt), state=TradeState.PAID, paid=attempt.amount
    )
    evening.billed("T1")
    run = evening.reconcile()
    assert found() == {("status", "T1"): OPEN}
    assert run.due_at == MORNING + ASKED_WITHIN

    for claimed in claim_to_ask(at=MORNING, limit=5):
        look_after(claimed, at=MORNING)
    attempt.refresh_from_db()
    assert attempt.state == "succeeded"
    evening.go_on(at=MORNING + ASKED_WITHIN)

    assert Difference.objects.get(found="status").state == EXPLAINED
    assert list(breaks()) == []


# --- bad bills ----------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["truncated", "encoding", "other_merchant", "totals"])
def test_nothing_of_a_bill_that_cannot_be_believed_is_imported(evening, problem):
    evening.both("T1")
    evening.billed("T2")
    evening.bills.spoiled = problem

    run = evening.reconcile()

    assert (run.state, run.problem) == (RunState.REFUSED, problem)
    assert found() == {}
    assert LoadedLine.objects.count() == 0
    bill = Bill.objects.get()
    assert (bill.problem, bill.problem_row, bill.loaded_at) == (problem, 3, None)

    evening.bills.spoiled = ""
    evening.go_on(at=MORNING + timedelta(minutes=11))
    run.refresh_from_db()
    assert (run.state, run.matched, found()) == (RunState.MATCHED, 1, {("only_theirs", "T2"): OPEN})


def test_a_bad_bill_after_a_good_one_changes_nothing(evening):
    evening.both("T1")
    evening.reconcile()
    evening.billed("T2")
    evening.bills.spoiled = "truncated"
    run = evening.reconcile(at=MORNING + timedelta(hours=1))
    assert (run.state, run.problem, run.matched) == (RunState.MATCHED, "truncated", 1)
    assert run.bill is not None
    assert run.bill.problem == ""
    assert found() == {}


def test_a_late_bill_is_asked_for_at_growing_intervals(evening):
    evening.both("T1")
    run = begin(evening.channel, DAY, at=MORNING)
    lines, evening.bills.days = evening.bills.days, {}
    assert run.due_at is not None
    at, gaps = run.due_at, []
    for _ in range(7):
        evening.go_on(at=at)
        run.refresh_from_db()
        assert run.due_at is not None
        gaps.append((run.due_at - at) // timedelta(minutes=1))
        at = run.due_at
    assert gaps == [10, 20, 40, 60, 120, 120, 120]
    assert (run.state, found()) == (RunState.WAITING, {})

    evening.bills.days = lines
    evening.go_on(at=at)
    run.refresh_from_db()
    assert ReconciliationRun.objects.filter(state=RunState.MATCHED, due_at=None).exists()
    assert found() == {}


def test_without_a_bill_by_the_deadline_somebody_must_look(evening):
    evening.both("T1")
    lines, evening.bills.days = evening.bills.days, {}
    late = MORNING + DEADLINE
    run = evening.reconcile(at=late)
    assert (run.state, len(found())) == (RunState.MISSING, 1)
    evening.go_on(at=late + timedelta(hours=7))
    assert Difference.objects.get().found == "no_bill"
    assert AuditEntry.objects.filter(action="reconciliation.bill_missing").count() == 1

    evening.bills.days = lines
    evening.go_on(at=late + timedelta(hours=14))
    assert Difference.objects.get().state == DifferenceState.EXPLAINED


def test_an_empty_day_needs_no_bill(evening):
    run = evening.reconcile()
    assert run.state == RunState.WAITING
    run = evening.reconcile(at=MORNING + DEADLINE)
    assert (run.state, run.matched, found()) == (RunState.MATCHED, 0, {})


@pytest.mark.parametrize("answer", [
    Unknown(reason="timeout"), Rejected(code="SIGN_ERROR", message="", is_our_fault=True),
])  # fmt: skip
def test_a_gateway_without_an_answer_is_asked_again(evening, answer):
    evening.both("T1")
    evening.bills.answers.append(answer)
    run = evening.reconcile()
    assert run.state == RunState.WAITING
    assert run.problem in {"timeout", "SIGN_ERROR"}
    evening.go_on(at=MORNING + timedelta(minutes=10))
    run.refresh_from_db()
    assert (run.state, run.problem) == (RunState.MATCHED, "")


# --- work ---------------------------------------------------------------------------------------


def test_a_day_that_is_not_over_is_not_begun(evening):
    with pytest.raises(ReconciliationRefused) as refused:
        begin(evening.channel, DAY, at=NOON)
    assert refused.value.problem == "day_not_over"


def test_every_day_that_is_over_is_begun_once(evening):
    assert begin_due(at=MORNING) == 14
    assert begin_due(at=MORNING) == 0
    days = set(ReconciliationRun.objects.values_list("day", flat=True))
    assert max(days) == DAY
    assert begin_due(at=MORNING + timedelta(days=1)) == 2


def test_a_run_belongs_to_one_worker_until_the_lease_is_over(evening):
    begin(evening.channel, DAY, at=MORNING)
    assert claim_due(at=MORNING) is not None
    assert claim_due(at=MORNING) is None
    run = ReconciliationRun.objects.get()
    with pytest.raises(ReconciliationRefused) as refused:
        claim(run, at=MORNING)
    assert refused.value.problem == "busy"
    assert claim_due(at=MORNING + LEASE) is not None


def test_the_tasks_of_the_timetable_work_through_the_days(evening):
    assert begin_reconciliations() == 14
    go_on_reconciling()
    assert not ReconciliationRun.objects.filter(leased_until__isnull=False).exists()


# --- the law ------------------------------------------------------------------------------------

EARLY = NOON - timedelta(days=1)
PLANTS = {
    # what: our state and day, the lines (amount, cost, state), what is found and whether it waits
    "equal": (("succeeded", NOON), [(0, 0, LineState.DONE)], None),
    "missing": (("succeeded", NOON), [], ("only_ours", True)),
    "extra": (None, [(0, 0, LineState.DONE)], ("only_theirs", True)),
    "amount": (("succeeded", NOON), [(1, 0, LineState.DONE)], ("amount", True)),
    "fee": (("succeeded", NOON), [(0, 1, LineState.DONE)], ("fee", True)),
    "closed": (("failed", NOON), [(0, 0, LineState.DONE)], ("status", True)),
    "twice": (("succeeded", NOON), [(0, 0, LineState.DONE)] * 2, ("duplicate", True)),
    "early": (("succeeded", EARLY), [(0, 0, LineState.DONE)], ("day_shift", False)),
    "failed": (("failed", NOON), [(0, 0, LineState.FAILED)], None),
}

numbers = st.lists(
    st.tuples(
        st.sampled_from(sorted(PLANTS)),
        st.integers(1, 10**7),
        st.booleans(),
    ),
    max_size=14,
)  # fmt: skip
serial = itertools.count()


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(planted=numbers)
def test_planted_errors_are_found_once_each_and_none_is_invented(evening, planted):
    with transaction.atomic():
        evening.bills.days = {DAY: []}
        expected = set()
        base = evening.booked(f"B{next(serial)}", 10**9, at=NOON - timedelta(days=9))
        for what, minor, is_refund in planted:
            expected |= plant(evening, base, what, minor, is_refund=is_refund)
        run = evening.reconcile()
        assert {(key, row.state == OPEN) for row in Difference.objects.all()
                for key in [(row.found, row.number)]} == expected  # fmt: skip
        assert Difference.objects.count() == len(expected)
        lines = len(evening.bills.days[DAY])
        unequal = Difference.objects.exclude(found="only_ours").count()
        agreed_failures = sum(1 for what, *_ in planted if what == "failed")
        assert run.matched == lines - unequal
        assert run.matched >= agreed_failures
        before = everything()
        evening.reconcile(at=MORNING + timedelta(hours=1))
        assert everything() == before
        assert list(breaks()) == []
        transaction.set_rollback(True)


def plant(evening, base, what, minor, *, is_refund) -> set[tuple[tuple[str, str], bool]]:
    """A booking, lines, or both; what is to be found."""
    booking, lines, finding = PLANTS[what]
    number = f"N{next(serial)}"
    if booking and is_refund:
        evening.gave_back(base, number, minor, state=booking[0], at=booking[1])
    elif booking:
        evening.booked(number, minor, state=booking[0], at=booking[1])
    kind = LineKind.REFUND if is_refund else LineKind.PAYMENT
    for more, dearer, state in lines:
        cost = (0 if is_refund else fee(minor + more)) + dearer
        evening.billed(number, minor + more, kind=kind, cost=cost, state=state)
    return {((finding[0], number), finding[1])} if finding else set()


def test_a_channel_whose_gateway_makes_no_bills_is_left_alone(tea):
    Channel.objects.update(created_at=NOON - timedelta(days=30))
    assert begin_due(at=MORNING) == 0
    with pytest.raises(ReconciliationRefused) as refused:
        begin(Channel.objects.get(code="first"), date(2026, 11, 1), at=MORNING)
    assert refused.value.problem == "no_bills"


def test_the_trail_tells_of_the_matching(evening):
    evening.both("T1")
    evening.reconcile()
    facts = AuditEntry.objects.get(action="reconciliation.matched").facts
    assert (facts["channel"], facts["day"], facts["lines"], facts["matched"]) == (
        "first", "2026-11-20", 1, 1,
    )  # fmt: skip
