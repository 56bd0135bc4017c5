"""An application, what was typed into it, its papers, what reviewers said of each, and consents."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.columns import SealedTextField
from compliance.protection.vault.models import StoredFile
from merchants.accounts.models import Merchant
from merchants.onboarding.grading import DILIGENCE, Grade
from merchants.onboarding.sections import Typed
from merchants.onboarding.states import (
    OPEN,
    ApplicationState,
    Entity,
    require_application_move,
)

RISK_CHOICES: Final = [
    (Grade.LOW.value, pgettext_lazy("risk", "Low")),
    (Grade.MEDIUM.value, pgettext_lazy("risk", "Medium")),
    (Grade.HIGH.value, pgettext_lazy("risk", "High")),
]


class Application(models.Model):
    """A merchant's wish to take real money. What it says lies in its drafts and papers."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="applications", verbose_name=_("merchant")
    )
    state = models.CharField(
        pgettext_lazy("application", "state"), max_length=16, choices=ApplicationState,
        default=ApplicationState.DRAFT,
    )  # fmt: skip
    entity = models.CharField(_("kind of business"), max_length=16, choices=Entity, blank=True)
    name = models.CharField(_("name on the licence"), max_length=128, blank=True)
    credit_code = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    """Of the round that was submitted last; no two merchants have the same one."""
    round = models.PositiveSmallIntegerField(_("round"), default=0)
    """How often it was submitted."""
    created_at = models.DateTimeField(_("created at"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    told = models.TextField(_("what the applicant is told"), blank=True)
    risk = models.PositiveSmallIntegerField(_("risk"), null=True, choices=RISK_CHOICES)
    """The grade that counts now: the last `RiskGrade`. None until it is submitted."""

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["submitted_at"], name="application_queue", condition=Q(state="in_review")
            ),
            models.Index(
                fields=["-risk", "submitted_at"],
                name="application_queue_by_risk",
                condition=Q(state="in_review"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ApplicationState.values), name="application_state_known"
            ),
            models.UniqueConstraint(
                fields=["merchant"],
                condition=Q(state__in=sorted(OPEN)),
                name="application_one_open",
            ),
            models.UniqueConstraint(
                fields=["credit_code"],
                condition=Q(state__in=["in_review", "needs_changes", "approved"])
                & ~Q(credit_code=""),
                name="application_credit_code_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(OPEN), ended_at__isnull=True)
                | (~Q(state__in=sorted(OPEN)) & Q(ended_at__isnull=False)),
                name="application_end_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"])
                | (Q(submitted_at__isnull=False, round__gt=0) & ~Q(credit_code="")),
                name="application_says_who_it_is_for",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.public_id

    def move(self, to: ApplicationState, *, at: datetime, told: str = "", **facts: Any) -> None:
        """Change the state, and facts with it. The caller holds this row's lock.

        Raises IllegalMove.
        """
        require_application_move(ApplicationState(self.state), to)
        self.state, self.told = to, told
        self.ended_at = None if to in OPEN else at
        for name, value in facts.items():
            setattr(self, name, value)
        self.save(update_fields=["state", "told", "ended_at", *facts])


class Draft(models.Model):
    """What was typed into one section, right or wrong."""

    public_id = models.CharField(max_length=32, unique=True)
    application = models.ForeignKey(Application, models.PROTECT, related_name="drafts")
    section = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    """Grows by one each time: who saves must have seen the last one."""
    typed_sealed = SealedTextField(purpose="onboarding")
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["application", "section"], name="draft_once"),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} · {self.section}"

    @property
    def typed(self) -> Sequence[Typed]:
        """The rows as they were typed. Raises KeyUnknown or Tampered."""
        rows: list[dict[str, str]] = json.loads(self.typed_sealed.open())
        return rows


class Document(models.Model):
    """A paper of an application. Taken back, or replaced, the row stays."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=24)
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    valid_to = models.DateField(_("good until"), null=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(_("added at"))
    removed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["valid_to"], name="document_expires",
                condition=Q(removed_at__isnull=True, valid_to__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.file_id}"


class Verdict(models.Model):
    """What a reviewer said of one field or one paper in one round. The last word counts."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="verdicts")
    round = models.PositiveSmallIntegerField()
    target = models.CharField(max_length=64)
    """A field, "licence.name", or the number of a file."""
    is_right = models.BooleanField()
    reason = models.CharField(max_length=32, blank=True)
    """A code of `reasons.REASONS`; empty where it is right."""
    told = models.TextField(blank=True)
    """More words for the applicant."""
    note = models.TextField(blank=True)
    """For reviewers only: no page of the portal reads it."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["application", "round", "target"], name="verdict_once_a_round"
            ),
            models.CheckConstraint(
                condition=Q(is_right=True, reason="") | (Q(is_right=False) & ~Q(reason="")),
                name="verdict_no_has_its_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target}: {'right' if self.is_right else self.reason}"


class Consent(models.Model):
    """Somebody agreed to a version of the agreement for a merchant. Rows are only ever added."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="consents")
    round = models.PositiveSmallIntegerField()
    version = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    """Of the very text that was shown."""
    language = models.CharField(max_length=16)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=256, blank=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["application", "round"], name="consent_once_a_round"),
        ]

    def __str__(self) -> str:
        return f"{self.version} · {self.by}"


class RiskGrade(models.Model):
    """What the rules, or a reviewer, made of the risk at one time. Rows are only ever added."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="grades")
    round = models.PositiveSmallIntegerField()
    grade = models.PositiveSmallIntegerField(choices=RISK_CHOICES)
    points = models.PositiveSmallIntegerField()
    reasons = models.JSONField()
    """Pairs of a code of `grading.POINTS` and its points, the heaviest first."""
    rules = models.CharField(max_length=16)
    """The version of the rules that counted."""
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    note = models.TextField(blank=True)
    """Why somebody raised it."""
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(grade__in=[grade.value for grade in Grade]), name="risk_grade_known"
            ),
            models.CheckConstraint(
                condition=Q(raised_by__isnull=True, note="")
                | (Q(raised_by__isnull=False) & ~Q(note="")),
                name="risk_raised_has_its_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_grade_display()} · {self.at:%Y-%m-%d}"


class Diligence(models.Model):
    """A measure that was taken because of a high risk. Rows are only ever added."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="diligence")
    measure = models.CharField(max_length=32)
    note_sealed = SealedTextField(purpose="onboarding")
    """What was done and found: it may name people."""
    file = models.OneToOneField(StoredFile, models.PROTECT, null=True, related_name="+")
    """What proves it, where there is such a paper."""
    public_id = models.CharField(max_length=32, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(measure__in=sorted(DILIGENCE)), name="diligence_measure_known"
            ),
        ]

    def __str__(self) -> str:
        return self.measure
