"""What this storey says in compliance reports: payments, refunds, and whether the books balance.

Live money only; in the demo, which has none, the sandbox's.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from compliance.reports.build import SHANGHAI
from compliance.reports.registry import Period, register_due, register_section
from compliance.reports.values import Chart, Column, Note, Part, Table
from merchants.days import day_of
from payments.acquiring.models import Attempt, Payment, Refund
from payments.acquiring.states import AttemptState
from payments.ledger.checks import breaks, trial_balance
from payments.ledger.models import AccountKind
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.states import DifferenceState

CURRENCY = "CNY"
AGES = ((0, 1), (2, 7), (8, 30))
"""Days, both included."""


def transactions(period: Period) -> Part:
    """Section 5: by day and by channel, with success and refunds."""
    paid = _paid(period)
    tried = Attempt.objects.filter(
        payment__livemode=not settings.DEMO, created_at__gte=period.start,
        created_at__lt=period.end,
    )  # fmt: skip
    if not paid.exists() and not tried.exists():
        return Part(notes=[Note(text=_("No transactions in this period."))])
    days = (
        paid.annotate(day=TruncDate("paid_at", tzinfo=SHANGHAI))
        .values_list("day").annotate(n=Count("pk"), minor=Sum("amount_minor")).order_by("day")
    )  # fmt: skip
    back = Refund.objects.filter(
        payment__livemode=not settings.DEMO, state="succeeded", is_late_return=False,
        ended_at__gte=period.start, ended_at__lt=period.end, currency=CURRENCY,
    ).aggregate(n=Count("pk"), minor=Sum("amount_minor"))  # fmt: skip
    number, money = Column(label=_("How many"), kind="number"), _money(_("Amount"))
    return Part(
        tables=[
            Table(
                name="payments_by_day", title=_("Paid, day by day"), query="payments.by_day",
                columns=[Column(label=_("Day"), kind="time"), number, money],
                rows=[[str(day), n, int(minor)] for day, n, minor in days],
            ),
            _by_channel(tried, paid),
            Table(
                name="refunds", title=_("Refunded"), query="payments.refunds",
                columns=[Column(label=_("What")), number, money],
                rows=[[_("Refunds that succeeded"), back["n"], int(back["minor"] or 0)]],
            ),
        ],
        charts=[
            Chart(
                title=_("Paid payments, day by day"), form="line",
                labels=[str(day)[5:] for day, _n, _m in days], values=[n for _day, n, _m in days],
            )
        ],
    )  # fmt: skip


def _by_channel(tried: "QuerySet[Attempt]", paid: "QuerySet[Payment]") -> Table:
    # Two counts, because an attempt's success and a payment's day may fall apart.
    tries = {
        code: (n, won)
        for code, n, won in tried.values_list("channel__code").annotate(
            n=Count("pk"), won=Count("pk", filter=Q(state=AttemptState.SUCCEEDED))
        )
    }
    sums: dict[str, Any] = {
        code: (n, minor)
        for code, n, minor in paid.values_list("channel__code").annotate(
            n=Count("pk"), minor=Sum("amount_minor")
        )
    }
    codes: Sequence[str] = sorted({*tries, *sums})
    return Table(
        name="payments_by_channel", title=_("By channel"), query="payments.by_channel",
        columns=[
            Column(label=_("Channel")), Column(label=_("Tries"), kind="number"),
            Column(label=_("Successful tries"), kind="number"),
            Column(label=_("Paid"), kind="number"), _money(_("Amount")),
        ],
        rows=[
            [code, *tries.get(code, (0, 0)), *(int(one) for one in sums.get(code, (0, 0)))]
            for code in codes
        ],
    )  # fmt: skip


def funds(period: Period) -> Part:
    """Section 7: the trial balance at the snapshot, and what is wrong in the books."""
    balances = [
        row for row in trial_balance() if row[1] == CURRENCY and row[2] is not settings.DEMO
    ]
    total, faults = sum(minor for *_rest, minor in balances), list(breaks())
    names = dict(AccountKind.choices)
    if not balances:
        return Part()
    notes = [
        Note(
            text=_("The trial balance adds up to zero.") if total == 0
            else _("The trial balance does not add up to zero."),
            tone="ok" if total == 0 else "bad",
        ),
        Note(
            text=_("Faults found in the books: %(count)s.") % {"count": len(faults)},
            tone="bad" if faults else "ok",
        ),
    ]  # fmt: skip
    return Part(
        notes=notes,
        tables=[
            Table(
                name="trial_balance",
                title=_("Trial balance"),
                query="payments.trial_balance",
                columns=[Column(label=_("Accounts")), _money(_("Balance"))],
                rows=[
                    [str(names.get(kind, kind)), minor]
                    for kind, _currency, _livemode, minor in balances
                ],
            )
        ],
    )


def reconciled(period: Period) -> Part:
    """Section 7: each channel's days against its bills, and what is still open, by age."""
    runs = (
        ReconciliationRun.objects.filter(
            day__gte=day_of(period.start),
            day__lt=day_of(period.end),
            currency=CURRENCY,
            channel__livemode=not settings.DEMO,
        )
        .select_related("channel")
        .order_by("channel__code", "day")
    )
    found = Counter(Difference.objects.filter(run__in=runs).values_list("run_id", flat=True))
    if not runs:
        return Part(notes=[Note(text=_("No channel's day was reconciled in this period."))])
    ages = _open_by_age(period)
    return Part(
        tables=[
            Table(
                name="reconciled_days", title=_("Channels' days against their bills"),
                query="payments.reconciled_days",
                columns=[
                    Column(label=_("Channel")), Column(label=_("Day"), kind="time"),
                    Column(label=_("State")), _money(_("Ours, refunds taken off")),
                    _money(_("Theirs, refunds taken off")),
                    Column(label=_("Matched"), kind="number"),
                    Column(label=_("Differences"), kind="number"),
                ],
                rows=[
                    [
                        run.channel.code, run.day.isoformat(), str(run.get_state_display()),
                        run.ours_payments_minor - run.ours_refunds_minor,
                        run.theirs_payments_minor - run.theirs_refunds_minor, run.matched,
                        found[run.pk],
                    ]
                    for run in runs
                ],
            ),
            open_differences(period),
        ],
        charts=[
            Chart(
                title=_("Open differences by age"), form="bars", labels=list(ages),
                values=list(ages.values()),
            )
        ] if any(ages.values()) else [],
    )  # fmt: skip


def open_differences(period: Period) -> Table:
    """What nobody has resolved by the snapshot, the oldest first."""
    rows = _open(period).select_related("run__channel", "owner").order_by("found_at", "pk")
    return Table(
        name="open_differences", title=_("Open differences"), query="payments.open_differences",
        columns=[
            Column(label=_("Channel")), Column(label=_("Day"), kind="time"),
            Column(label=_("Class")), Column(label=_("Number")), Column(label=_("Owner")),
            Column(label=_("Days old"), kind="number"),
        ],
        rows=[
            [
                row.run.channel.code, row.run.day.isoformat(), str(row.get_found_display()),
                row.number or row.gateway_number, str(row.owner or "–"),
                (period.cutoff - row.found_at).days,
            ]
            for row in rows
        ],
    )  # fmt: skip


def _open(period: Period) -> "QuerySet[Difference]":
    return Difference.objects.filter(
        state=DifferenceState.OPEN,
        found_at__lte=period.cutoff,
        run__channel__livemode=not settings.DEMO,
    )


def _open_by_age(period: Period) -> dict[str, int]:
    """How many are at most so many days old, and older."""
    days = [(period.cutoff - found_at).days for found_at in _open(period).values_list(
        "found_at", flat=True
    )]  # fmt: skip
    told = {}
    for low, high in AGES:
        label = _("%(low)d to %(high)d days") % {"low": low, "high": high}
        told[label] = sum(low <= one <= high for one in days)
    told[_("older")] = sum(one > AGES[-1][1] for one in days)
    return told


def _paid(period: Period) -> "QuerySet[Payment]":
    return Payment.objects.filter(
        livemode=not settings.DEMO, currency=CURRENCY, paid_at__gte=period.start,
        paid_at__lt=period.end,
    )  # fmt: skip


def _money(label: str) -> Column:
    return Column(label=f"{label} ({CURRENCY})", kind="money", currency=CURRENCY)


def register_sections() -> None:
    """Called once, when the application is ready."""
    register_section(5, transactions)
    register_section(7, funds)
    register_section(7, reconciled)
    register_due(open_differences)
