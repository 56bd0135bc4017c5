"""One channel's day, from the wait for the bill to the last difference found."""

import logging
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.trail import record
from compliance.numbers import new_number
from payments.acquiring.models import Attempt
from payments.acquiring.states import ASKED
from payments.channels.base import Done, Rejected, Unknown
from payments.channels.bills import NO_BILL, BillUnreadable
from payments.channels.models import Channel
from payments.channels.states import ChannelState
from payments.reconciliation import bills
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.match import has_bookings, match
from payments.reconciliation.matching import SHIFT
from payments.reconciliation.models import Bill, Difference, ReconciliationRun
from payments.reconciliation.states import DifferenceState, Ending, Found, RunState, Subject
from payments.steps import step

log: Final = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=30)
"""Longer than a bill of a million lines takes; a worker that died has its run taken over then."""
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (10, 20, 40, 60, 120))
"""Until the next try; the last one is repeated."""
DEADLINE: Final = timedelta(hours=24)
"""After the bill should have been ready. Then the day is a difference that somebody must look at,
and the gateway is asked on.
"""
ASKED_WITHIN: Final = timedelta(minutes=15)
"""Until then the gateway has been asked about what its bill says and we have not heard."""
AFTER_DEADLINE: Final = timedelta(hours=6)
GIVEN_UP: Final = timedelta(days=80)
"""Gateways keep bills for three months."""
DAYS_BACK: Final = 7
"""Days that are begun after the fact, when the platform was down."""


def begin(channel: Channel, day: date, *, at: datetime) -> ReconciliationRun:
    """The channel's run of the day; made when there is none.

    Raises ReconciliationRefused: no_bills, day_not_over.
    """
    spoken = bills.bills_of(channel.code)
    if spoken.bill_span(day)[1] > at:
        raise ReconciliationRefused("day_not_over", day=day.isoformat())
    run, _is_new = ReconciliationRun.objects.get_or_create(
        channel=channel, day=day,
        defaults={
            "public_id": new_number("rec_", at=at), "created_at": at,
            "due_at": spoken.bill_ready_at(day),
        },
    )  # fmt: skip
    return run


def begin_due(*, at: datetime) -> int:
    """Begin every day of every channel that is over; how many days that were.

    What was paid on a channel before it was stopped is in its bills all the same.
    """
    before = ReconciliationRun.objects.count()
    for channel in Channel.objects.exclude(state=ChannelState.DRAFT).order_by("pk"):
        begun = set(
            ReconciliationRun.objects.filter(
                channel=channel, day__gte=at.date() - timedelta(days=DAYS_BACK + 1)
            ).values_list("day", flat=True)
        )
        for back in range(1, DAYS_BACK + 1):
            day = at.date() - timedelta(days=back)
            if day in begun or day < channel.created_at.date() - timedelta(days=1):
                continue
            try:
                begin(channel, day, at=at)
            except ReconciliationRefused:
                continue
    return ReconciliationRun.objects.count() - before


@transaction.atomic
def claim_due(*, at: datetime) -> ReconciliationRun | None:
    """Take one run that is due, for as long as LEASE. Nothing is locked after."""
    due = ReconciliationRun.objects.filter(_free(at), due_at__lte=at)
    return _lease(due.order_by("due_at"), at=at)


@transaction.atomic
def claim(run: ReconciliationRun, *, at: datetime) -> ReconciliationRun:
    """Take this run, due or not. Raises ReconciliationRefused: busy, while somebody has it."""
    claimed = _lease(ReconciliationRun.objects.filter(_free(at), pk=run.pk), at=at)
    if claimed is None:
        raise ReconciliationRefused("busy", run=run.public_id)
    return claimed


def _lease(runs: QuerySet[ReconciliationRun], *, at: datetime) -> ReconciliationRun | None:
    locked = runs.select_for_update(skip_locked=True, of=["self"])
    run = locked.select_related("channel", "bill").first()
    if run is not None:
        run.leased_until = at + LEASE
        run.save(update_fields=["leased_until"])
    return run


def _free(at: datetime) -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lte=at)


@transaction.atomic
def ask_again(*, run: int, actor: Actor, at: datetime) -> ReconciliationRun:
    """Have the bill of a day fetched once more, at the worker's next step: the gateway mended it.

    Raises ReconciliationRefused: busy, while somebody works on the day.
    """
    locked = ReconciliationRun.objects.select_for_update(of=["self"]).select_related("channel")
    row = locked.get(pk=run)
    if row.leased_until is not None and row.leased_until > at:
        raise ReconciliationRefused("busy", run=row.public_id)
    row.wants_bill, row.due_at = True, at
    row.save(update_fields=["wants_bill", "due_at"])
    record(
        actor, "reconciliation.bill_asked", subject=("reconciliation", row.public_id),
        facts={"channel": row.channel.code, "day": row.day.isoformat()}, at=at,
    )  # fmt: skip
    return row


def carry_on(run: ReconciliationRun, *, at: datetime) -> RunState:
    """The next step of a run that is due and claimed: match again what is there, or ask for it."""
    if run.state == RunState.MATCHED and run.bill_id is not None and not run.wants_bill:
        rematch(run, at=at)
        return RunState.MATCHED
    return work(run, at=at)


def rematch(run: ReconciliationRun, *, at: datetime) -> None:
    """Match the lines that are loaded once more: our books, or another day's bill, have changed.

    The caller has claimed the run, and it has a bill.
    """
    with transaction.atomic():
        locked = _lock(run)
        match(locked, actor=SYSTEM, at=at)
        locked.due_at = None
        locked.move(RunState.MATCHED, at=at)


def work(run: ReconciliationRun, *, actor: Actor = SYSTEM, at: datetime) -> RunState:
    """Fetch the bill, load it, match it; say where the day stands then. The caller has claimed it.

    Safe to repeat and to be killed anywhere: the bill is kept once, its lines are loaded and
    matched in one transaction, and a finding that is known is not found again.
    """
    outcome = bills.fetch(run, actor=actor, at=at)
    match outcome:
        case Done(bill):
            return _take_in(run, bill, actor=actor, at=at)
        case Rejected(code=problem) | Unknown(reason=problem):
            return _go_on_waiting(run, problem, actor=actor, at=at)


def _take_in(run: ReconciliationRun, bill: Bill, *, actor: Actor, at: datetime) -> RunState:
    try:
        with transaction.atomic():
            locked = _fetched(_lock(run))
            bill = Bill.objects.select_related("run__channel", "file").get(pk=bill.pk)
            bills.load(bill, at=at)
            locked.bill, locked.problem, locked.due_at = bill, "", None
            match(locked, actor=actor, at=at)
            step("bill.matched")
            _end_waiting(locked, at=at)
            if _ask_about_missed(locked, at=at):
                locked.due_at = at + ASKED_WITHIN
            locked.move(RunState.MATCHED, at=at)
            _wake_neighbours(locked, at=at)
            record(
                actor, "reconciliation.matched", subject=("reconciliation", run.public_id),
                facts={
                    "channel": locked.channel.code, "day": locked.day.isoformat(),
                    "bill": bill.public_id, "lines": bill.lines, "matched": locked.matched,
                },
                at=at,
            )  # fmt: skip
    except BillUnreadable as error:
        return _refuse(run, bill, error, actor=actor, at=at)
    return RunState.MATCHED


@transaction.atomic
def _refuse(
    run: ReconciliationRun, bill: Bill, error: BillUnreadable, *, actor: Actor, at: datetime
) -> RunState:
    """Nothing of a bill that cannot be believed is kept but its bytes and what is wrong."""
    locked = _fetched(_lock(run))
    bills.note_unreadable(bill, error)
    record(
        actor, "reconciliation.bill_refused", subject=("reconciliation", run.public_id),
        facts={
            "bill": bill.public_id, "channel": locked.channel.code, "day": locked.day.isoformat(),
            "problem": error.problem, "line": error.row,
        },
        at=at,
    )  # fmt: skip
    log.error("bill %s of %s cannot be believed: %s", bill.public_id, locked, error)
    return _postpone(locked, RunState.REFUSED, error.problem, actor=actor, at=at)


@transaction.atomic
def _go_on_waiting(run: ReconciliationRun, problem: str, *, actor: Actor, at: datetime) -> RunState:
    locked = _fetched(_lock(run))
    deadline = bills.bills_of(locked.channel.code).bill_ready_at(locked.day) + DEADLINE
    if problem == NO_BILL and locked.bill is None and at >= deadline and not has_bookings(locked):
        # Gateways make no bill of a day without business.
        match(locked, actor=actor, at=at)
        locked.problem, locked.due_at = "", None
        _end_waiting(locked, at=at)
        locked.move(RunState.MATCHED, at=at)
        record(
            actor, "reconciliation.matched", subject=("reconciliation", run.public_id),
            facts={"channel": locked.channel.code, "day": locked.day.isoformat(), "lines": 0},
            at=at,
        )  # fmt: skip
        return RunState.MATCHED
    return _postpone(locked, RunState(locked.state), problem, actor=actor, at=at)


def _postpone(
    locked: ReconciliationRun, to: RunState, problem: str, *, actor: Actor, at: datetime
) -> RunState:
    """Say when to ask again, at growing intervals; at the deadline a person is asked."""
    ready_at = bills.bills_of(locked.channel.code).bill_ready_at(locked.day)
    locked.tries, locked.problem = locked.tries + 1, problem[:64]
    if locked.state == RunState.MATCHED:
        # It was asked for once more, and the bill that there is still counts.
        locked.due_at = None
        locked.save()
        return RunState.MATCHED
    is_late = at >= ready_at + DEADLINE
    wait = AFTER_DEADLINE if is_late else WAITS[min(locked.tries, len(WAITS)) - 1]
    locked.due_at = at + wait if at < ready_at + GIVEN_UP else None
    if is_late and to == RunState.WAITING:
        to = RunState.MISSING
    if to == locked.state:
        locked.save()
    else:
        locked.move(to, at=at)
    if is_late:
        _miss(locked, actor=actor, at=at)
    return to


def _miss(locked: ReconciliationRun, *, actor: Actor, at: datetime) -> None:
    _row, is_new = Difference.objects.get_or_create(
        run=locked, found=Found.NO_BILL, subject=Subject.BILL, key=locked.day.isoformat(),
        defaults={"found_at": at, "detail": locked.problem, "currency": locked.currency},
    )  # fmt: skip
    if is_new:
        record(
            actor, "reconciliation.bill_missing", subject=("reconciliation", locked.public_id),
            facts={
                "channel": locked.channel.code, "day": locked.day.isoformat(),
                "problem": locked.problem,
            },
            at=at,
        )  # fmt: skip
        log.error("no usable bill of %s by the deadline: %s", locked, locked.problem)


def _end_waiting(locked: ReconciliationRun, *, at: datetime) -> None:
    missing = Difference.objects.select_for_update().filter(
        run=locked, found=Found.NO_BILL, state__in=[DifferenceState.OPEN, DifferenceState.RESOLVED]
    )
    for difference in missing:
        difference.end(DifferenceState.EXPLAINED, Ending.GONE, at=at)


def _ask_about_missed(locked: ReconciliationRun, *, at: datetime) -> int:
    """The bill has payments that we still wait for: have the gateway asked about them at once.

    Its signed answer books them, as any other does; then the day is matched again.
    """
    missed = Difference.objects.filter(
        run=locked, found=Found.STATUS, subject=Subject.PAYMENT, state=DifferenceState.OPEN
    )
    waiting = Attempt.objects.filter(number__in=missed.values("number"), state__in=sorted(ASKED))
    return waiting.update(ask_at=at)


def _wake_neighbours(locked: ReconciliationRun, *, at: datetime) -> None:
    """Days around whose open differences this day's bill may explain are matched again."""
    around = ReconciliationRun.objects.filter(
        channel=locked.channel, state=RunState.MATCHED, due_at__isnull=True, bill__isnull=False,
        day__gte=locked.day - SHIFT, day__lte=locked.day + SHIFT,
    ).exclude(pk=locked.pk)  # fmt: skip
    unsettled = Difference.objects.filter(
        state__in=[DifferenceState.OPEN, DifferenceState.RESOLVED]
    ).exclude(found=Found.NO_BILL)
    around.filter(pk__in=unsettled.values("run")).update(due_at=at)


def _lock(run: ReconciliationRun) -> ReconciliationRun:
    """The run, locked. Whoever saves it gives the lease back."""
    locked = (
        ReconciliationRun.objects.select_for_update(of=["self"])
        .select_related("channel", "bill")
        .get(pk=run.pk)
    )
    locked.leased_until = None
    return locked


def _fetched(locked: ReconciliationRun) -> ReconciliationRun:
    """The wish for a bill is fulfilled, whatever came of it."""
    locked.wants_bill = False
    return locked
