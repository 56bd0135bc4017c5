"""Terms of papers, and renewals that wait for a reviewer."""

import json
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.identity.models import User
from compliance.protection.columns import SealedTextField
from compliance.protection.vault.models import StoredFile
from merchants.accounts.models import Merchant
from merchants.terms.states import RenewalState, TermKind, require_renewal_move


class Term(models.Model):
    """Until when a paper of a merchant is good. A renewal puts another row in its place."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="terms", verbose_name=_("merchant")
    )
    kind = models.CharField(_("paper"), max_length=16, choices=TermKind)
    last_day = models.DateField(_("last day"), null=True)
    """None: without an end."""
    told = models.PositiveSmallIntegerField(default=0)
    """The worst `Stage` that its merchant was written about."""
    begun_at = models.DateTimeField(_("since"))
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["last_day"], name="term_runs_out",
                condition=Q(replaced_at__isnull=True, last_day__isnull=False),
            ),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TermKind.values), name="term_kind_known"),
            models.UniqueConstraint(
                fields=["merchant", "kind"],
                condition=Q(replaced_at__isnull=True),
                name="term_one_of_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.last_day or '∞'}"


class Renewal(models.Model):
    """A new paper in the place of one that runs out."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    term = models.ForeignKey(Term, models.PROTECT, related_name="renewals", verbose_name=_("paper"))
    file = models.OneToOneField(StoredFile, models.PROTECT, null=True, related_name="+")
    statement_sealed = SealedTextField(
        _("what the merchant states"), purpose="onboarding", null=True
    )
    """Instead of a paper, where the merchant confirms its data: see `statement`."""
    changed = ArrayField(
        models.CharField(max_length=32), verbose_name=_("what has changed"), default=list,
        db_default=[],
    )  # fmt: skip
    """The sections of which the merchant says so."""
    last_day = models.DateField(_("last day"), null=True)
    state = models.CharField(
        pgettext_lazy("renewal", "state"), max_length=12, choices=RenewalState,
        default=RenewalState.WAITING,
    )  # fmt: skip
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided at"), null=True)
    reason = models.TextField(_("reason"), blank=True)
    """Why it was refused, as the merchant reads it."""

    class Meta:
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["term"], condition=Q(state="waiting"), name="renewal_one_waiting"
            ),
            models.CheckConstraint(
                condition=Q(
                    state="waiting", decided_at__isnull=True, decided_by__isnull=True
                )
                | Q(
                    state__in=["accepted", "refused"], decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="renewal_decision_has_person_and_time",
            ),
            models.CheckConstraint(
                condition=Q(file__isnull=False, statement_sealed__isnull=True)
                | Q(file__isnull=True, statement_sealed__isnull=False),
                name="renewal_has_paper_or_statement",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(reason=""), name="renewal_no_has_reason"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id

    @property
    def statement(self) -> Mapping[str, str]:
        """What was said of each section; an empty text: that it still holds. Without one: nothing.

        Raises KeyUnknown or Tampered.
        """
        if self.statement_sealed is None:
            return {}
        said: dict[str, str] = json.loads(self.statement_sealed.open())
        return said

    def move(self, to: RenewalState, *, by: User, reason: str, at: datetime) -> None:
        """Decide it. The caller holds this row's lock. Raises IllegalMove."""
        require_renewal_move(RenewalState(self.state), to)
        self.state, self.reason, self.decided_at, self.decided_by = to, reason, at, by
        self.save(update_fields=["state", "reason", "decided_at", "decided_by"])
