"""What this storey says in compliance reports: merchants, their papers, screening, tickets."""

from datetime import timedelta
from typing import Final

from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from compliance.reports.registry import Period, register_due, register_section
from compliance.reports.values import Chart, Column, Note, Part, Table
from merchants.accounts.models import Merchant
from merchants.accounts.states import MerchantStatus
from merchants.days import day_of
from merchants.onboarding.models import RISK_CHOICES, Application
from merchants.onboarding.states import ApplicationState
from merchants.screening.models import ListVersion, ScreeningCheck, ScreeningHit
from merchants.screening.states import HitState
from merchants.support.models import Ticket
from merchants.terms.models import Term

SOON: Final = timedelta(days=90)


def due_diligence(period: Period) -> Part:
    """Section 3: applications by state, merchants by status, papers that run out."""
    made = Application.objects.filter(created_at__gte=period.start, created_at__lt=period.end)
    states = dict(made.values_list("state").annotate(n=Count("pk")))
    statuses = dict(Merchant.objects.values_list("status").annotate(n=Count("pk")))
    funnel = [(str(one.label), states.get(one.value, 0)) for one in ApplicationState]
    count = Column(label=_("How many"), kind="number")
    return Part(
        tables=[
            Table(
                name="applications", title=_("Applications begun in the period, by state"),
                query="merchants.applications", columns=[Column(label=_("State")), count],
                rows=funnel,
            ),
            Table(
                name="merchants", title=_("Merchants by status"), query="merchants.merchants",
                columns=[Column(label=_("Status")), count],
                rows=[[str(one.label), statuses.get(one.value, 0)] for one in MerchantStatus],
            ),
            Table(
                name="merchants_by_risk", title=_("Merchants that may take real money, by risk"),
                query="merchants.by_risk", columns=[Column(label=_("Risk")), count],
                rows=_by_risk(),
            ),
            expiring(period),
        ],
        charts=[
            Chart(
                title=_("Applications begun in the period, by state"), form="bars",
                labels=[label for label, _n in funnel], values=[n for _label, n in funnel],
            )
        ] if made.exists() else [],
    )  # fmt: skip


def _by_risk() -> list[list[str | int]]:
    """The grades, and those that were never graded."""
    live = Merchant.objects.filter(may_live=True)
    counted = dict(live.values_list("risk").annotate(n=Count("pk")))
    known: list[list[str | int]] = [
        [str(label), counted.get(value, 0)] for value, label in RISK_CHOICES
    ]
    return [*known, [_("Not graded"), counted.get(None, 0)]]


def expiring(period: Period) -> Table:
    """Papers that are over or run out within ninety days of the snapshot."""
    rows = (
        Term.objects.filter(
            replaced_at__isnull=True, last_day__lte=day_of(period.cutoff) + SOON,
        )
        .select_related("merchant")
        .order_by("last_day", "pk")
    )  # fmt: skip
    return Table(
        name="expiring", title=_("Papers that run out"), query="merchants.expiring",
        columns=[
            Column(label=_("Merchant")), Column(label=_("Name")), Column(label=_("Paper")),
            Column(label=_("Last day"), kind="time"),
        ],
        rows=[
            [one.merchant.public_id, one.merchant.name, str(one.get_kind_display()),
             str(one.last_day)]
            for one in rows
        ],
    )  # fmt: skip


def screening(period: Period) -> Part:
    """Section 4: lists in use, comparisons, hits and what became of them."""
    within = Q(at__gte=period.start, at__lt=period.end)
    checks = ScreeningCheck.objects.filter(within).count()
    asked = ScreeningHit.objects.filter(asked_at__gte=period.start, asked_at__lt=period.end)
    hits = dict(asked.values_list("state").annotate(n=Count("pk")))
    lists = ListVersion.objects.filter(is_active=True).select_related("list").order_by("list__code")
    if not checks and not hits and not lists:
        return Part()
    return Part(
        notes=[Note(text=_("Comparisons in the period: %(count)s.") % {"count": checks})],
        tables=[
            Table(
                name="lists", title=_("Lists in use"), query="merchants.lists",
                columns=[
                    Column(label=_("List")), Column(label=_("Version"), kind="number"),
                    Column(label=_("Entries"), kind="number"),
                ],
                rows=[[one.list.name, one.number, one.count] for one in lists],
            ),
            Table(
                name="hits", title=_("Hits in the period"), query="merchants.hits",
                columns=[Column(label=_("State")), Column(label=_("How many"), kind="number")],
                rows=[[str(one.label), hits.get(one.value, 0)] for one in HitState],
            ),
        ],
    )  # fmt: skip


def service(period: Period) -> Part:
    """Section 12: what support was asked, and whether it answered in time."""
    asked = Ticket.objects.filter(created_at__gte=period.start, created_at__lt=period.end)
    counts = asked.aggregate(
        n=Count("pk"), resolved=Count("pk", filter=Q(resolved_at__isnull=False)),
        late=Count("pk", filter=Q(first_answered_at__gt=F("first_answer_due_at"))
                   | Q(first_answered_at__isnull=True, first_answer_due_at__lt=period.cutoff)),
    )  # fmt: skip
    if not counts["n"]:
        return Part()
    return Part(
        tables=[
            Table(
                name="tickets", title=_("Tickets"), query="merchants.tickets",
                columns=[Column(label=_("What")), Column(label=_("How many"), kind="number")],
                rows=[
                    [_("Asked"), counts["n"]], [_("Resolved"), counts["resolved"]],
                    [_("First answer late"), counts["late"]],
                ],
            )
        ]
    )  # fmt: skip


def register_sections() -> None:
    """Called once, when the application is ready."""
    register_section(3, due_diligence)
    register_section(4, screening)
    register_section(12, service)
    register_due(expiring)
