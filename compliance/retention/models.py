"""Erasures that were agreed to, and the certificates of what they destroyed."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.retention.states import ERASURE_MOVES, ErasureState


class Erasure(models.Model):
    """One agreed erasure: exactly these things, and afterwards the proof."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    request = models.CharField(_("request"), max_length=32, unique=True)
    """The number of the approval that ordered it."""
    class_name = models.CharField(_("class"), max_length=32)
    things = ArrayField(models.CharField(max_length=32))
    """Public ids, in order."""
    erased = models.PositiveIntegerField(_("erased"), default=0)
    """How many of them are gone, from the beginning of the list."""
    asked_by = models.CharField(_("asked by"), max_length=150)
    agreed_by = models.CharField(_("agreed by"), max_length=150)
    reason = models.TextField(_("reason"))
    state = models.CharField(
        pgettext_lazy("erasure", "state"), max_length=8, choices=ErasureState,
        default=ErasureState.RUNNING,
    )  # fmt: skip
    created_at = models.DateTimeField(_("agreed at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    certificate = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True, certificate="")
                | (Q(state="done", finished_at__isnull=False) & ~Q(certificate="")),
                name="erasure_done_has_its_proof",
            ),
            models.CheckConstraint(condition=Q(things__len__gt=0), name="erasure_of_something"),
        ]

    def __str__(self) -> str:
        return self.public_id

    def move(self, to: ErasureState, *, at: datetime, certificate: str) -> None:
        """End it. The caller holds this row's lock."""
        if to not in ERASURE_MOVES[ErasureState(self.state)]:
            raise ValueError(f"an erasure does not go from {self.state} to {to}")
        self.state, self.finished_at, self.certificate = to, at, certificate
        self.save(update_fields=["state", "finished_at", "certificate"])
