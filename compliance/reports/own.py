"""What this storey says in reports: access and operations, data protection, and how it was kept."""

from django.db.models import Count, F, Q
from django.utils.translation import gettext as _
from django_otp_webauthn.models import WebAuthnCredential

from compliance.approvals.models import Approval, Vote
from compliance.approvals.registry import find_kind
from compliance.audit.models import AuditEntry
from compliance.audit.words import sentence
from compliance.identity.models import Authenticator, RoleGrant, User
from compliance.identity.states import StaffRole
from compliance.protection.models import DataKey
from compliance.reports.registry import Period, register_section
from compliance.reports.values import Chart, Column, Note, Part, Table
from compliance.retention.classes import classes
from compliance.retention.models import Erasure

PRIVILEGED = (
    "role.granted", "role.revoked", "data.revealed", "data.reveal_refused", "audit.exported",
    "alarm.glass_broken", "alarm.superuser_signed_in", "alarm.request_tampered",
    "alarm.notes_lost", "keys.rotation_begun", "access.refused", "signin.locked",
)  # fmt: skip


def access(period: Period) -> Part:
    """Section 8: roles, second factors, privileged deeds, requests with their pairs."""
    held = dict(
        RoleGrant.objects.filter(user__is_active=True).values_list("role").annotate(n=Count("pk"))
    )
    done = dict(
        AuditEntry.objects.filter(
            at__gte=period.start, at__lt=period.end, action__in=PRIVILEGED
        ).values_list("action").annotate(n=Count("pk"))
    )  # fmt: skip
    return Part(
        tables=[
            Table(
                name="roles", title=_("People by role"), query="compliance.roles",
                columns=[Column(label=_("Role")), Column(label=_("People"), kind="number")],
                rows=[[str(role.label), held.get(role.value, 0)] for role in StaffRole],
            ),
            Table(
                name="privileged", title=_("Privileged deeds"), query="compliance.privileged",
                columns=[Column(label=_("Deed")), Column(label=_("Times"), kind="number")],
                rows=[[sentence(action), done.get(action, 0)] for action in PRIVILEGED],
            ),
            _requests(period),
        ],
        charts=[
            Chart(
                title=_("Privileged deeds"), form="bars",
                labels=[sentence(one) for one in PRIVILEGED if done.get(one)],
                values=[done[one] for one in PRIVILEGED if done.get(one)],
            )
        ] if done else [],
        notes=_access_notes(period),
    )  # fmt: skip


def _requests(period: Period) -> Table:
    rows = (
        Approval.objects.filter(created_at__gte=period.start, created_at__lt=period.end)
        .values_list("kind")
        .annotate(
            n=Count("pk"), executed=Count("pk", filter=Q(state="executed")),
            alone=Count("pk", filter=Q(glass_at__isnull=False)),
        )
        .order_by("kind")
    )  # fmt: skip
    return Table(
        name="requests", title=_("Requests that need two people"), query="compliance.requests",
        columns=[
            Column(label=_("Kind")), Column(label=_("Asked"), kind="number"),
            Column(label=_("Executed"), kind="number"),
            Column(label=_("Alone, in an emergency"), kind="number"),
        ],
        rows=[
            [str(found.label) if (found := find_kind(kind)) else kind, n, executed, alone]
            for kind, n, executed, alone in rows
        ],
    )  # fmt: skip


def _access_notes(period: Period) -> list[Note]:
    staff = User.objects.filter(is_active=True, is_staff=True)
    have = [
        model.objects.filter(confirmed=True).values("user")
        for model in (Authenticator, WebAuthnCredential)
    ]
    without = staff.exclude(pk__in=have[0]).exclude(pk__in=have[1])
    people, lacking = staff.count(), without.count()
    own = Vote.objects.filter(
        at__gte=period.start, at__lt=period.end, checker_person=F("maker_person")
    ).count()
    text = _("%(count)s of %(people)s staff have no second factor yet.")
    return [
        Note(text=text % {"count": lacking, "people": people}, tone="warn" if lacking else "ok"),
        Note(
            text=_("Requests that their maker agreed to: %(count)s.") % {"count": own},
            tone="bad" if own else "ok",
        ),
    ]


def protection(period: Period) -> Part:
    """Section 9: what is kept how long, what was destroyed, the keys."""
    erased = Erasure.objects.filter(created_at__gte=period.start, created_at__lt=period.end)
    forever = _("for ever")
    return Part(
        tables=[
            Table(
                name="retention", title=_("What is kept how long"), query="compliance.retention",
                columns=[
                    Column(label=_("Class")), Column(label=_("Days")), Column(label=_("Law")),
                ],
                rows=[
                    [str(one.label), str(one.term.days) if one.term else forever, str(one.basis)]
                    for one in classes()
                ],
            ),
            Table(
                name="erasures", title=_("Erasures"), query="compliance.erasures",
                columns=[
                    Column(label=_("Number")), Column(label=_("Class")),
                    Column(label=_("Things"), kind="number"), Column(label=_("Agreed by")),
                ],
                rows=[
                    [one.public_id, one.class_name, one.erased, one.agreed_by]
                    for one in erased.order_by("pk")
                ],
            ),
        ],
        notes=[
            Note(text=_("Data keys in use: %(count)s.") % {"count": DataKey.objects.count()})
        ],
    )  # fmt: skip


def register_sections() -> None:
    """Called once, when the application is ready."""
    register_section(8, access)
    register_section(9, protection)
