"""Reports, as rows. What was published never changes: a trigger sees to it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.vault.models import StoredFile
from compliance.reports.errors import ReportRefused
from compliance.reports.states import REPORT_MOVES, ReportState


class Report(models.Model):
    """One version of the report on a period in a language."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    language = models.CharField(_("language"), max_length=8)
    version = models.PositiveSmallIntegerField(_("version"))
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    reason = models.TextField(_("reason"), blank=True, default="")
    """Why there is another version."""
    state = models.CharField(
        pgettext_lazy("report", "state"), max_length=12, choices=ReportState,
        default=ReportState.QUEUED,
    )  # fmt: skip
    step = models.PositiveSmallIntegerField(default=0)
    """How many of the steps of making it are done."""
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    """Until when a worker has it in hand."""
    dataset = models.TextField(blank=True, default="")
    """Canonical JSON, as text, because its hash is over the very characters."""
    dataset_sha256 = models.CharField(_("fingerprint of the data"), max_length=64, blank=True)
    software = models.CharField(_("software version"), max_length=64, blank=True)
    is_clean = models.BooleanField(default=False)
    """Whether it says that the audit trail is whole."""
    draft = models.OneToOneField(StoredFile, models.PROTECT, null=True, related_name="+")
    signed = models.OneToOneField(StoredFile, models.PROTECT, null=True, related_name="+")
    file_sha256 = models.CharField(_("fingerprint of the file"), max_length=64, blank=True)
    """Of the signed file."""
    certificate = models.CharField(_("certificate"), max_length=200, blank=True)
    preparer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("prepared by"),
    )  # fmt: skip
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("approved by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("asked at"))
    made_at = models.DateTimeField(_("made at"), null=True)
    approved_at = models.DateTimeField(_("approved at"), null=True)
    signed_at = models.DateTimeField(_("signed at"), null=True)
    published_at = models.DateTimeField(_("published at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["first_day", "last_day", "language", "version"], name="report_version_once"
            ),
            models.UniqueConstraint(
                fields=["first_day", "last_day", "language"], condition=Q(state="published"),
                name="report_one_published",
            ),
            models.CheckConstraint(
                condition=Q(first_day__lte=F("last_day")), name="report_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ReportState.values), name="report_state_known"
            ),
            models.CheckConstraint(
                condition=Q(approver__isnull=True) | Q(preparer__isnull=True)
                | ~Q(approver=F("preparer")),
                name="report_approver_is_not_preparer",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "signed", "published", "superseded"])
                | (Q(approver__isnull=False, approved_at__isnull=False) & ~Q(dataset_sha256="")),
                name="report_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["signed", "published", "superseded"])
                | (Q(signed__isnull=False, signed_at__isnull=False) & ~Q(file_sha256="")),
                name="report_signed_has_its_file",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id

    def move(self, to: ReportState, **facts: Any) -> None:
        """Change the state. The caller holds this row's lock. Raises ReportRefused: state_wrong."""
        if to not in REPORT_MOVES[ReportState(self.state)]:
            raise ReportRefused("state_wrong")
        self.state = to
        for name, value in facts.items():
            setattr(self, name, value)
        self.save(update_fields=["state", *facts])

    def hold(self, *, until: datetime | None, **facts: Any) -> None:
        """Keep it in hand until a moment, or let go. The caller holds this row's lock."""
        self.lease_until = until
        for name, value in facts.items():
            setattr(self, name, value)
        self.save(update_fields=["lease_until", *facts])
