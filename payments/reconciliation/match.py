"""Holds a day's bill against our books, and brings the differences of the run up to date."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from compliance.audit.actor import Actor
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, post
from payments.money import Money
from payments.reconciliation import joining
from payments.reconciliation.bills import bills_of
from payments.reconciliation.fees import terms_of
from payments.reconciliation.matching import SHIFT
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.settling import explain
from payments.reconciliation.states import DifferenceState, Ending, RunState

TABLES: Final = (
    "reconciliation_ours", "reconciliation_unlike", "reconciliation_verdict",
    "reconciliation_finding",
)  # fmt: skip


def has_bookings(run: ReconciliationRun) -> bool:
    """Whether our books know of any money on the channel that day."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({joining.OURS})", _values(run))
        return bool(cursor.fetchone()[0])


def match(run: ReconciliationRun, *, actor: Actor, at: datetime) -> None:
    """Match the run's bill, in the caller's transaction, which holds the run's lock and saves it.

    Findings that are known stay as they are; what is not found any more is explained.
    """
    values = {**_values(run), "at": at}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in joining.TABLES:
            cursor.execute(statement, values)
        _explain_gone(cursor, values, actor=actor, at=at)
        for statement in (joining.BACK, joining.REFRESH, joining.INSERT):
            cursor.execute(statement, values)
        _sum_up(cursor, run, values)
        cursor.execute(joining.FEES)
        (undecided,) = cursor.fetchone()
    _book_fees(run, run.theirs_fees_minor - int(undecided), at=at)


def _values(run: ReconciliationRun) -> dict[str, Any]:
    start, end = bills_of(run.channel.code).bill_span(run.day)
    terms = terms_of(run.channel, run.day)
    others = (
        ReconciliationRun.objects.filter(
            channel=run.channel, state=RunState.MATCHED, bill__isnull=False,
            day__gte=run.day - SHIFT, day__lte=run.day + SHIFT,
        )
        .exclude(pk=run.pk)
        .values_list("bill_id", flat=True)
    )  # fmt: skip
    return {
        "run": run.pk, "channel": run.channel_id, "day": run.day, "bill": run.bill_id or 0,
        "start": start, "end": end, "shift": SHIFT.days, "others": list(others),
        "currency": run.currency, "rate": terms.rate_ppm if terms else None,
        "returns": bool(terms and terms.returns_on_refund),
    }  # fmt: skip


def _explain_gone(
    cursor: CursorWrapper, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> None:
    cursor.execute(joining.GONE, values)
    gone = {key: Ending.SHIFTED if shifted else Ending.GONE for key, shifted in cursor.fetchall()}
    cursor.execute(joining.CHANGED, values)
    # What people had decided on was something else: it is undone, and then found anew.
    changed = {key for (key,) in cursor.fetchall()}
    rows = Difference.objects.select_for_update(of=["self"]).select_related("run__channel")
    for difference in rows.filter(pk__in=[*gone, *changed]).order_by("pk"):
        if difference.pk in gone or difference.state == DifferenceState.RESOLVED:
            ending = gone.get(difference.pk, Ending.GONE)
            explain(difference, ending, actor=actor, at=at)


def _sum_up(cursor: CursorWrapper, run: ReconciliationRun, values: Mapping[str, Any]) -> None:
    cursor.execute(joining.TOTALS_OURS)
    ours = {kind: (count, minor) for kind, count, minor in cursor.fetchall()}
    cursor.execute(joining.TOTALS_THEIRS, values)
    theirs = {kind: rest for kind, *rest in cursor.fetchall()}
    run.ours_payments, run.ours_payments_minor = ours.get("payment", (0, 0))
    run.ours_refunds, run.ours_refunds_minor = ours.get("refund", (0, 0))
    run.theirs_payments, run.theirs_payments_minor = theirs.get("payment", (0, 0))[:2]
    run.theirs_refunds, run.theirs_refunds_minor = theirs.get("refund", (0, 0))[:2]
    run.theirs_fees_minor = sum(fees for _count, _minor, fees in theirs.values())
    cursor.execute(joining.UNMATCHED)
    (unmatched,) = cursor.fetchone()
    run.matched = sum(count for count, *_rest in theirs.values()) - unmatched


def _book_fees(run: ReconciliationRun, due_minor: int, *, at: datetime) -> None:
    """The fees that nobody disputes are an expense, and the channel owes us that much less.

    Booked is the change since the last matching, so that a bill that comes twice books nothing.
    """
    fee = Money(due_minor - run.fees_booked_minor, run.currency)
    if not fee.minor:
        return
    run.fee_journals += 1
    run.fees_booked_minor = due_minor
    post(
        kind="channel.fees",
        subject=f"{run.public_id}:{run.fee_journals}",
        entries=[
            debit(AccountKind.CHANNEL_FEE_EXPENSE, run.channel.code, fee),
            credit(AccountKind.CHANNEL_RECEIVABLE, run.channel.code, fee),
        ],
        livemode=run.channel.livemode,
        at=at,
    )
