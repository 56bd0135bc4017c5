"""Merchants, who acts for them, and the keys of their programs. Rows are never deleted."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchants.accounts.abilities import SCOPES
from merchants.accounts.networks import NETWORKS_MAX
from merchants.accounts.states import (
    APPROVED,
    MerchantStatus,
    RevocationReason,
    Role,
    Suspension,
    require_merchant_move,
)


class Merchant(models.Model):
    """A business that takes payments through the platform."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=128)
    short_name = models.CharField(_("short name"), max_length=32, blank=True, db_default="")
    """What customers see where space is short; empty means the name."""
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=MerchantStatus,
        default=MerchantStatus.ACTIVE,
    )
    may_live = models.BooleanField(_("may take real money"), default=False)
    callback_url = models.CharField(_("callback address"), max_length=1024, blank=True, default="")
    """Of the version before endpoints. Only what still runs of that version reads it."""
    callback_secret_sealed = models.CharField(max_length=512)
    callback_secret_before_sealed = models.CharField(max_length=512, blank=True, default="")
    """The secret before the last rotation; messages carry both signatures until it ends."""
    callback_secret_before_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created at"))
    suspended_at = models.DateTimeField(_("suspended at"), null=True)
    suspended_for = models.CharField(
        _("suspended for"), max_length=8, choices=Suspension, blank=True, db_default=""
    )

    closed_at = models.DateTimeField(_("closed at"), null=True)
    risk = models.PositiveSmallIntegerField(_("risk"), null=True)
    """1 low, 2 medium, 3 high, as it was graded last. None: never graded."""

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        constraints = [
            models.CheckConstraint(
                condition=(
                    (~Q(status="suspended") & Q(suspended_at__isnull=True, suspended_for=""))
                    | Q(
                        status="suspended",
                        suspended_at__isnull=False,
                        suspended_for__in=Suspension.values,
                    )
                ),
                name="merchant_status_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False)
                | (~Q(status="closed") & Q(closed_at__isnull=True)),
                name="merchant_end_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=MerchantStatus.values), name="merchant_status_known"
            ),
            models.CheckConstraint(
                condition=Q(may_live=False) | Q(status__in=sorted(APPROVED)),
                name="merchant_live_is_approved",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="merchant_has_name"),
            models.CheckConstraint(
                condition=Q(risk__isnull=True) | Q(risk__in=[1, 2, 3]), name="merchant_risk_known"
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        callback_secret_before_sealed="",
                        callback_secret_before_until__isnull=True,
                    )
                    | (
                        ~Q(callback_secret_before_sealed="")
                        & Q(callback_secret_before_until__isnull=False)
                    )
                ),
                name="merchant_old_secret_has_its_end",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_name(self) -> str:
        """The name where space is short."""
        return self.short_name or self.name

    def move(
        self, to: MerchantStatus, *, at: datetime, suspended_for: Suspension | str = ""
    ) -> None:
        """Change the status. The caller holds this row's lock. Raises IllegalMove."""
        require_merchant_move(MerchantStatus(self.status), to)
        self.status, self.suspended_for = to, suspended_for
        self.suspended_at = at if to is MerchantStatus.SUSPENDED else None
        self.closed_at = at if to is MerchantStatus.CLOSED else None
        self.save(update_fields=["status", "suspended_at", "suspended_for", "closed_at"])


class Member(models.Model):
    """A person who acts for a merchant, in one role; one who left stays as a row."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships",
        verbose_name=_("person"),
    )  # fmt: skip
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="members", verbose_name=_("merchant")
    )
    role = models.CharField(_("role"), max_length=12, choices=Role)
    created_at = models.DateTimeField(_("created at"))
    removed_at = models.DateTimeField(_("removed at"), null=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "merchant"],
                condition=Q(removed_at__isnull=True),
                name="member_once",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class ApiKey(models.Model):
    """What a merchant's program proves itself with. The secret itself is kept nowhere."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="api_keys", verbose_name=_("merchant")
    )
    livemode = models.BooleanField(_("live mode"))
    label = models.CharField(_("label"), max_length=64, blank=True, default="")
    prefix = models.CharField(_("begins with"), max_length=16)
    """Enough of the secret to recognise it by: "sk_test_ab12cd"."""
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=32), verbose_name=_("scopes"))
    allowed_from = ArrayField(
        models.CharField(max_length=43), verbose_name=_("allowed from"), default=list, db_default=[]
    )
    """Networks that it may be used from, such as "203.0.113.0/24". Empty: anywhere."""
    created_by = models.CharField(_("created by"), max_length=128)
    created_at = models.DateTimeField(_("created at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    revoked_for = models.CharField(
        _("revoked for"), max_length=8, choices=RevocationReason, blank=True, db_default=""
    )
    """Empty also for keys that were revoked before reasons were asked for."""
    ends_at = models.DateTimeField(_("ends at"), null=True)
    """From this moment on it opens nothing. None: it goes on."""
    told_days = models.PositiveSmallIntegerField(null=True)
    """At so many days before that end its people were written to last."""
    replaced_by = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="replaces", verbose_name=_("replaced by")
    )
    """The key with the new secret, of one that was rotated."""
    last_used_at = models.DateTimeField(_("last used at"), null=True)
    last_used_from = models.CharField(_("last used from"), max_length=45, blank=True, db_default="")

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=sorted(SCOPES)) & Q(scopes__len__gt=0),
                name="api_key_scopes_known",
            ),
            models.CheckConstraint(
                condition=Q(allowed_from__len__lte=NETWORKS_MAX), name="api_key_few_networks"
            ),
            models.CheckConstraint(
                condition=Q(revoked_for="")
                | Q(revoked_at__isnull=False, revoked_for__in=RevocationReason.values),
                name="api_key_revoked_for_known",
            ),
            models.CheckConstraint(
                condition=Q(replaced_by__isnull=True) | Q(ends_at__isnull=False),
                name="api_key_replaced_has_its_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_at"], name="api_key_ends",
                condition=Q(ends_at__isnull=False, revoked_at__isnull=True),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def is_over(self, at: datetime) -> bool:
        """Whether it opens nothing any more."""
        return self.revoked_at is not None or (self.ends_at is not None and self.ends_at <= at)
