"""Requests, and who agreed to them."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.approvals.states import APPROVAL_MOVES, ENDED, ApprovalState

NEEDED_MAX = 5


class Approval(models.Model):
    """Somebody's request. What was asked for never changes: triggers see to it, and a keyed digest.

    Triggers also fill in which human the maker is, refuse to delete, let no request be executed
    without its votes, and let none come back to life.
    """

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    kind = models.CharField(_("kind"), max_length=48)
    subject_kind = models.CharField(_("kind of subject"), max_length=32)
    subject_id = models.CharField(pgettext_lazy("record", "subject"), max_length=64)
    merchant = models.CharField(_("merchant"), max_length=32, blank=True, db_default="")
    """Whose people ask and decide; empty: the staff."""
    payload = models.TextField(_("what is asked for"))
    """Canonical JSON, as text, because its hash is over the very characters."""
    payload_sha256 = models.CharField(_("fingerprint"), max_length=64)
    before = models.TextField(_("how it stood"))
    """Canonical JSON of the target when the request was made; another now makes it stale."""
    seal = models.BinaryField(max_length=32)
    """Keyed digest over everything that was asked for: the key is not in the database."""
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    maker_person = models.CharField(max_length=64)
    reason = models.TextField(_("reason"))
    needed = models.PositiveSmallIntegerField(_("how many must agree"))
    state = models.CharField(
        _("state"), max_length=16, choices=ApprovalState.choices, default=ApprovalState.PENDING
    )
    created_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("ended by"),
    )  # fmt: skip
    ending = models.TextField(_("why it ended"), blank=True, db_default="")
    """The reason of a rejection, a cancellation or an emergency; else a code."""
    result = models.TextField(_("result"), blank=True, db_default="")
    glass_at = models.DateTimeField(_("emergency at"), null=True)
    """When one person executed it alone, in an emergency."""
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("reviewed by"),
    )  # fmt: skip
    review = models.TextField(_("review"), blank=True, db_default="")

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["expires_at"], name="approval_open", condition=Q(state="pending")),
            models.Index(
                fields=["merchant", "-id"], name="approval_of_merchant", condition=~Q(merchant="")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_kind", "subject_id"],
                condition=Q(state=ApprovalState.PENDING),
                name="approval_one_pending",
            ),
            models.CheckConstraint(
                condition=Q(needed__lte=NEEDED_MAX), name="approval_needs_few_people"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="approval_has_reason"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="approval_lasts_a_while"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state=ApprovalState.PENDING, ended_at__isnull=True)
                    | Q(state__in=sorted(ENDED), ended_at__isnull=False)
                ),
                name="approval_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(glass_at__isnull=True)
                | (Q(state=ApprovalState.EXECUTED, ended_by__isnull=False) & ~Q(ending="")),
                name="approval_glass_has_person_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(merchant="") | Q(glass_at__isnull=True),
                name="approval_glass_is_of_staff",
            ),
            models.CheckConstraint(
                condition=(
                    Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                    | (
                        Q(reviewed_at__isnull=False, reviewed_by__isnull=False)
                        & Q(glass_at__isnull=False)
                        & ~Q(reviewed_by=F("ended_by"))
                        & ~Q(review="")
                    )
                ),
                name="approval_review_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def move(self, to: ApprovalState, *, at: datetime, **facts: Any) -> None:
        """End the request. The caller holds this row's lock and has looked at its state."""
        if to not in APPROVAL_MOVES[ApprovalState(self.state)]:
            raise ValueError(f"{self.public_id} cannot go from {self.state} to {to}")
        self.state, self.ended_at = to, at
        for name, value in facts.items():
            setattr(self, name, value)
        self.save(update_fields=["state", "ended_at", *facts])


class Vote(models.Model):
    """Somebody agreed. Rows are only ever added.

    A trigger fills in both humans, so that the constraints hold for people, not accounts.
    """

    approval = models.ForeignKey(Approval, models.PROTECT, related_name="votes")
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("agreed by")
    )
    maker_person = models.CharField(max_length=64)
    checker_person = models.CharField(max_length=64)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["approval", "checker_person"], name="vote_once_per_person"
            ),
            models.CheckConstraint(
                condition=~Q(checker_person=F("maker_person")), name="vote_checker_is_not_maker"
            ),
        ]

    def __str__(self) -> str:
        return str(self.checker)
