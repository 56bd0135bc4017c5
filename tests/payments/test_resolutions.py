"""Differences end with four eyes and a balanced journal, after which the channel owes us just what
its bill says; and what people booked is undone by itself when the other side turns up.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.approvals.decide import approve, cancel
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.models import User
from payments.channels.bills import LineKind
from payments.channels.models import Channel
from payments.ledger.balances import balance
from payments.ledger.checks import breaks
from payments.ledger.models import AccountKind, Posting
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.fees import request_fee_rate, terms_of
from payments.reconciliation.matching import Terms
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.resolving import assign, request_resolution, suited, take
from payments.reconciliation.states import RESOLUTIONS, DifferenceState, Ending
from tests.compliance.people import hire
from tests.payments.evening import DAY, MORNING, Evening, FakeBills, fee, found
from tests.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db

LATER = MORNING + timedelta(hours=1)


@pytest.fixture
def evening(tea, monkeypatch) -> Evening:
    bills = FakeBills()
    monkeypatch.setattr(ScriptedGateway, "bills", bills, raising=False)
    made = Evening(shop=tea, channel=Channel.objects.get(code="first"), bills=bills)
    made.agree_on_fees()
    return made


@pytest.fixture
def finance(db) -> User:
    return hire("jin", roles=["finance"]).user


@pytest.fixture
def checker(db) -> User:
    return hire("wei", roles=["operator_checker"]).user


def owed(kind: AccountKind = AccountKind.CHANNEL_RECEIVABLE) -> int:
    return balance(kind, "first", "CNY", livemode=False).minor


def ask(ending: Ending, maker: User, *, claim: str = "", **which: str) -> Approval:
    return request_resolution(
        difference=Difference.objects.get(**which).pk, ending=ending, reason="looked at it",
        claim=claim, maker=maker, actor=Actor("user", "", maker.username), at=LATER,
    )  # fmt: skip


def agree(request: Approval, checker: User) -> Approval:
    return approve(
        number=request.public_id, checker=checker, at=LATER,
        actor=Actor("user", "", checker.username),
    )  # fmt: skip


def everything_wrong(evening: Evening) -> int:
    """A day with every kind of difference; what the bill says the channel owes us."""
    tea = evening.both("GOOD")
    evening.booked("OURS")
    evening.billed("THEIRS", 5000)
    evening.booked("AMOUNT", 10000)
    evening.billed("AMOUNT", 10700)
    evening.booked("FEE", 10000)
    evening.billed("FEE", 10000, cost=99)
    evening.booked("STATUS", state="closed")
    evening.billed("STATUS")
    evening.billed("GOOD", theirs="again")
    evening.gave_back(tea, "R1", 100)
    evening.billed("R1", 130, kind=LineKind.REFUND)
    evening.billed("R2", 70, kind=LineKind.REFUND)
    lines = evening.bills.days[DAY]
    return sum(
        (line.amount_minor if line.kind == LineKind.PAYMENT else -line.amount_minor)
        - line.fee_minor
        for line in lines
    )


def test_after_all_is_resolved_the_channel_owes_what_its_bill_says(evening, finance, checker):
    billed = everything_wrong(evening)
    evening.reconcile()
    assert Difference.objects.filter(state="open").count() == 8
    assert owed() != billed

    for row in Difference.objects.filter(state="open"):
        ending = Ending.WRITE_OFF if row.found == "fee" else Ending.SUSPENSE
        agree(ask(ending, finance, pk=str(row.pk)), checker)

    assert owed() == billed
    assert list(breaks()) == []
    assert not Difference.objects.filter(state="open").exists()
    assert AuditEntry.objects.filter(action="difference.resolved").count() == 8


def test_each_resolution_books_where_the_money_is_meanwhile(evening, finance, checker):
    everything_wrong(evening)
    evening.reconcile()
    for ending, which, kind, minor in (
        (Ending.SUSPENSE, {"number": "THEIRS"}, AccountKind.SUSPENSE, -5000),
        (Ending.TIMING, {"number": "OURS"}, AccountKind.SUSPENSE, 10000),
        (Ending.GATEWAY_ERROR, {"number": "FEE"}, AccountKind.SUSPENSE, 99 - 60),
        (Ending.GATEWAY_ERROR, {"number": "AMOUNT"}, AccountKind.SUSPENSE, -700),
        (Ending.REFUND_RECORDED, {"found": "duplicate"}, AccountKind.REFUND_IN_TRANSIT, -10000),
        (Ending.REFUND_RECORDED, {"number": "R2"}, AccountKind.REFUND_IN_TRANSIT, 70),
    ):
        before = owed(kind)
        agree(ask(ending, finance, claim="GW-7", **which), checker)
        assert owed(kind) - before == minor, (ending, which)
        row = Difference.objects.get(**which)
        assert (row.state, row.ending, row.claim) == ("resolved", ending, "GW-7")
        moved = Posting.objects.filter(journal__subject=row.journal)
        assert sum(one.amount_minor for one in moved) == 0
        assert moved.exists()
    assert list(breaks()) == []


def test_a_fee_can_be_written_off(evening, finance, checker):
    evening.booked("T1", 10000)
    evening.billed("T1", 10000, cost=75)
    evening.reconcile()
    assert owed(AccountKind.CHANNEL_FEE_EXPENSE) == 60
    agree(ask(Ending.WRITE_OFF, finance, number="T1"), checker)
    assert owed(AccountKind.CHANNEL_FEE_EXPENSE) == 75
    assert owed() == 10000 - 75


def test_what_was_accepted_as_timing_goes_back_when_the_other_side_comes(
    evening, finance, checker
):  # fmt: skip
    evening.both("T1")
    evening.booked("T2")
    evening.reconcile()
    agree(ask(Ending.TIMING, finance, number="T2"), checker)
    assert (owed(), owed(AccountKind.SUSPENSE)) == (10000 - 60, 10000)

    evening.billed("T2", day=DAY + timedelta(days=1))
    evening.reconcile(DAY + timedelta(days=1), at=MORNING + timedelta(days=1))
    evening.go_on(at=MORNING + timedelta(days=1))

    row = Difference.objects.get(found="only_ours")
    assert (row.state, row.ending, row.journal) == ("explained", Ending.SHIFTED, "")
    assert (owed(), owed(AccountKind.SUSPENSE)) == (20000 - 120, 0)
    assert AuditEntry.objects.get(action="difference.explained").facts["journal_undone"]
    assert list(breaks()) == []


def test_a_resolution_whose_ground_changed_is_undone_and_asked_anew(evening, finance, checker):
    evening.booked("T1", 10000)
    evening.billed("T1", 10700, cost=60)
    evening.reconcile()
    agree(ask(Ending.SUSPENSE, finance, number="T1"), checker)
    evening.bills.days[DAY] = []
    evening.billed("T1", 10900, cost=60)
    evening.reconcile(at=LATER + timedelta(hours=1))
    row = Difference.objects.get()
    assert (row.state, row.theirs_minor, owed(AccountKind.SUSPENSE)) == ("open", 10900, 0)
    agree(ask(Ending.SUSPENSE, finance, number="T1"), checker)
    assert owed(AccountKind.SUSPENSE) == -900
    assert list(breaks()) == []


def test_the_gateways_word_can_be_taken_for_a_payment_that_we_missed(evening, finance, checker):
    evening.booked("T1", state="open")
    evening.billed("T1")
    evening.reconcile()
    agree(ask(Ending.BOOK_PAYMENT, finance, number="T1"), checker)
    evening.go_on(at=timezone.now())
    row = Difference.objects.get()
    assert (row.state, row.ending) == ("explained", Ending.GONE)
    run = ReconciliationRun.objects.get()
    assert (run.matched, owed()) == (1, 10000 - fee(10000))
    assert AuditEntry.objects.filter(action="payment.paid").exists()


# --- who may -------------------------------------------------------------------------------------


def test_nobody_resolves_alone(evening, finance, checker):
    evening.booked("T1")
    evening.billed("T2")
    evening.reconcile()
    request = ask(Ending.SUSPENSE, finance, number="T1")
    with pytest.raises(ApprovalRefused):
        agree(request, finance)
    with pytest.raises(ApprovalRefused):
        ask(Ending.SUSPENSE, checker, number="T2")
    assert owed(AccountKind.SUSPENSE) == 0
    assert found()["only_ours", "T1"] == "open"


def test_a_difference_that_explains_itself_meanwhile_makes_the_request_stale(
    evening, finance, checker
):  # fmt: skip
    evening.booked("T1")
    evening.billed("T2")
    evening.reconcile()
    request = ask(Ending.SUSPENSE, finance, number="T1")
    evening.billed("T1")
    evening.reconcile(at=LATER)
    with pytest.raises(ApprovalRefused):
        agree(request, checker)
    assert owed(AccountKind.SUSPENSE) == 0


@pytest.mark.parametrize(
    ("ending", "claim", "problem"),
    [
        (Ending.WRITE_OFF, "", "not_suited"), (Ending.GATEWAY_ERROR, " ", "claim_missing"),
        (Ending.BOOK_PAYMENT, "", "not_suited"), (Ending.GONE, "", "not_suited"),
    ],
)  # fmt: skip
def test_what_does_not_suit_is_refused(evening, finance, ending, claim, problem):
    evening.booked("T1")
    evening.billed("T2")
    evening.reconcile()
    with pytest.raises(ReconciliationRefused) as refused:
        ask(ending, finance, claim=claim, number="T1")
    assert refused.value.problem == problem


def test_the_page_offers_just_what_would_be_taken(evening, finance):
    everything_wrong(evening)
    evening.reconcile()
    for row in Difference.objects.filter(state=DifferenceState.OPEN):
        for ending in RESOLUTIONS:
            if ending in suited(row):
                asked = ask(ending, finance, claim="GW", pk=str(row.pk))
                cancel(number=asked.public_id, maker=finance, reason="", actor=SYSTEM, at=LATER)
            else:
                with pytest.raises(ReconciliationRefused):
                    ask(ending, finance, claim="GW", pk=str(row.pk))


def test_differences_have_owners_who_may_work_on_them(evening, finance, checker):
    evening.booked("T1")
    evening.billed("T2")
    evening.reconcile()
    key = Difference.objects.get(number="T1").pk
    take(difference=key, person=finance, actor=SYSTEM, at=LATER)
    assert Difference.objects.get(pk=key).owner == finance
    other = hire("mei", roles=["finance"]).user
    assign(difference=key, to=other, actor=SYSTEM, at=LATER)
    entry = AuditEntry.objects.get(action="difference.assigned")
    assert (entry.before, entry.after) == ({"owner": "jin"}, {"owner": "mei"})
    with pytest.raises(ReconciliationRefused) as refused:
        assign(difference=key, to=checker, actor=SYSTEM, at=LATER)
    assert refused.value.problem == "not_theirs"


def test_the_agreed_fee_is_changed_by_two_people(evening, checker):
    asker = hire("bo", roles=["operator"]).user
    request = request_fee_rate(
        channel=evening.channel, first_day=DAY, terms=Terms(rate_ppm=3800, returns_on_refund=True),
        reason="new contract", maker=asker, actor=SYSTEM, at=LATER,
    )  # fmt: skip
    assert terms_of(evening.channel, DAY) == Terms(rate_ppm=6000, returns_on_refund=False)
    agree(request, checker)
    assert terms_of(evening.channel, DAY) == Terms(rate_ppm=3800, returns_on_refund=True)
    before = terms_of(evening.channel, DAY - timedelta(days=1))
    assert before == Terms(rate_ppm=6000, returns_on_refund=False)
