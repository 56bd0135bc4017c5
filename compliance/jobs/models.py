"""Jobs as they stand, and those of their runs that are worth remembering."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.jobs.states import RunState


class Job(models.Model):
    """A periodic job and how its latest run that ended went. Rows come with the migration."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    """As Celery knows it."""
    started_at = models.DateTimeField(_("last run"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    outcome = models.CharField(
        pgettext_lazy("job", "outcome"), max_length=9, choices=RunState, blank=True, db_default=""
    )
    done = models.PositiveIntegerField(_("worked on"), db_default=0)
    """Rows, in the last run."""
    fault = models.CharField(_("fault"), max_length=200, blank=True, db_default="")
    failures = models.PositiveIntegerField(_("failures in a row"), db_default=0)
    known_since = models.DateTimeField(db_default=Now())
    """A job that never ran is late from here on."""

    class Meta:
        verbose_name = pgettext_lazy("periodic", "job")
        verbose_name_plural = pgettext_lazy("periodic", "jobs")
        default_permissions = ("view",)
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class JobRun(models.Model):
    """A run that is going on, was asked for, failed or broke off; others are forgotten at once."""

    job = models.CharField(max_length=64)
    state = models.CharField(
        pgettext_lazy("job", "outcome"), max_length=9, choices=RunState, default=RunState.RUNNING
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("asked by"),
    )  # fmt: skip
    asked_at = models.DateTimeField(_("asked at"), null=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    leased_until = models.DateTimeField(null=True)
    """When its worker, if it still lives, is ended by Celery."""
    ended_at = models.DateTimeField(_("ended at"), null=True)
    done = models.PositiveIntegerField(_("worked on"), default=0)
    fault = models.CharField(_("fault"), max_length=200, blank=True, default="")

    class Meta:
        default_permissions = ()
        indexes = [models.Index("job", "id", name="job_run_of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="asked", asked_by__isnull=False, started_at__isnull=True)
                | ~Q(state="asked") & Q(started_at__isnull=False, leased_until__isnull=False),
                name="job_run_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, state__in=["asked", "running"])
                | Q(ended_at__isnull=False, state__in=["done", "failed", "broke_off"]),
                name="job_run_ends_once",
            ),
            models.UniqueConstraint(
                "job", condition=Q(state="asked"), name="job_run_asked_for_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} #{self.pk}"
