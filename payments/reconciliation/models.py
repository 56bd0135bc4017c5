"""Days of channels, their bills with every line, and what does not match."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.vault.models import StoredFile
from payments.channels.models import Channel
from payments.money import Money
from payments.reconciliation.states import (
    DifferenceState,
    Ending,
    Found,
    RunState,
    Subject,
    require_difference_move,
    require_run_move,
)


class FeeRate(models.Model):
    """What a channel is agreed to keep, from a day on. Without one, fees are not judged."""

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"))
    first_day = models.DateField(_("from"))
    rate_ppm = models.PositiveIntegerField(_("rate in millionths"))
    returns_on_refund = models.BooleanField(_("given back with a refund"))

    class Meta:
        verbose_name = _("agreed fee of a channel")
        verbose_name_plural = _("agreed fees of channels")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["channel", "first_day"], name="fee_rate_once"),
            models.CheckConstraint(condition=Q(rate_ppm__lte=1_000_000), name="fee_rate_a_part"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.rate_ppm} ppm"


class ReconciliationRun(models.Model):
    """One channel's day. Amounts are in minor units of `currency`."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"))
    day = models.DateField(_("day"))
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    state = models.CharField(
        pgettext_lazy("run", "state"), max_length=8, choices=RunState, default=RunState.WAITING
    )
    tries = models.PositiveSmallIntegerField(_("times asked"), default=0)
    due_at = models.DateTimeField(_("next step at"), null=True)
    leased_until = models.DateTimeField(null=True)
    """Somebody works on it. Afterwards anybody may take it over."""
    wants_bill = models.BooleanField(default=False)
    """Somebody asked for the bill once more: the next step fetches it, matched or not."""
    problem = models.CharField(_("last problem"), max_length=64, blank=True)
    bill = models.ForeignKey("payments.Bill", models.PROTECT, null=True, related_name="+")
    """The one that counts: the latest that could be believed."""
    ours_payments = models.PositiveIntegerField(default=0)
    ours_payments_minor = models.BigIntegerField(default=0)
    ours_refunds = models.PositiveIntegerField(default=0)
    ours_refunds_minor = models.BigIntegerField(default=0)
    theirs_payments = models.PositiveIntegerField(default=0)
    theirs_payments_minor = models.BigIntegerField(default=0)
    theirs_refunds = models.PositiveIntegerField(default=0)
    theirs_refunds_minor = models.BigIntegerField(default=0)
    theirs_fees_minor = models.BigIntegerField(default=0)
    matched = models.PositiveIntegerField(_("matched"), default=0)
    """Lines that say exactly what our books say of the same day."""
    fees_booked_minor = models.BigIntegerField(default=0)
    fee_journals = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(_("created at"))
    matched_at = models.DateTimeField(_("matched at"), null=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["channel", "day"], name="reconciliation_day_once"),
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="reconciliation_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="matched") | Q(matched_at__isnull=False),
                name="reconciliation_matched_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="reconciliation_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel.code} {self.day}"

    def move(self, to: RunState, *, at: datetime) -> None:
        """Change the state on the row and in memory. The caller holds this row's lock."""
        require_run_move(RunState(self.state), to)
        self.state = to
        if to == RunState.MATCHED:
            self.matched_at = at
        self.save()


class Bill(models.Model):
    """A bill exactly as it came; its content lies sealed in the vault."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    run = models.ForeignKey(ReconciliationRun, models.PROTECT, related_name="bills")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    sha256 = models.BinaryField(max_length=32)
    lines = models.PositiveIntegerField(_("lines"), default=0)
    fetched_at = models.DateTimeField(_("fetched at"))
    loaded_at = models.DateTimeField(_("loaded at"), null=True)
    problem = models.CharField(_("problem"), max_length=32, blank=True)
    problem_row = models.PositiveIntegerField(_("problem in line"), default=0)

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["run", "sha256"], name="bill_once"),
            models.CheckConstraint(
                condition=Q(loaded_at__isnull=True) | Q(problem=""), name="bill_loaded_is_good"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class LoadedLine(models.Model):
    """One line of a bill. Written by COPY; the database refuses to change or delete it.

    The key begins with the day, so that the table can be parted by day when it has grown. There is
    no foreign key for the same reason, and because checking it would cost more than loading.
    """

    pk = models.CompositePrimaryKey("day", "bill_id", "row")
    day = models.DateField()
    bill_id = models.BigIntegerField()
    row = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)
    number = models.CharField(max_length=64)
    gateway_number = models.CharField(max_length=64)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    state = models.CharField(max_length=8)
    at = models.DateTimeField()

    class Meta:
        db_table = "payments_billline"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Difference(models.Model):
    """Something on which a bill and our books do not agree. Found once, ended once."""

    run = models.ForeignKey(
        ReconciliationRun, models.PROTECT, related_name="differences",
        verbose_name=_("reconciliation"),
    )  # fmt: skip
    found = models.CharField(_("class"), max_length=12, choices=Found)
    subject = models.CharField(_("about"), max_length=8, choices=Subject)
    key = models.CharField(max_length=96)
    """Names the finding within its run and class: our number, or theirs where there is none."""
    number = models.CharField(_("our number"), max_length=64, blank=True)
    gateway_number = models.CharField(_("gateway's number"), max_length=64, blank=True)
    payment = models.CharField(_("payment"), max_length=32, blank=True)
    """Public id of the payment that it concerns, where we know one."""
    row = models.PositiveIntegerField(_("line"), null=True)
    currency = models.CharField(max_length=3, default="CNY")
    ours_minor = models.BigIntegerField(null=True)
    """What we booked; None where we booked nothing."""
    theirs_minor = models.BigIntegerField(null=True)
    """What the gateway says it did; None where it says nothing, or did not do it."""
    ours_fee_minor = models.BigIntegerField(null=True)
    theirs_fee_minor = models.BigIntegerField(null=True)
    detail = models.CharField(_("detail"), max_length=64, blank=True)
    """Our state and theirs, where these differ; the other day, where it is that."""
    state = models.CharField(
        pgettext_lazy("difference", "state"), max_length=9, choices=DifferenceState,
        default=DifferenceState.OPEN,
    )  # fmt: skip
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("owner"),
    )  # fmt: skip
    found_at = models.DateTimeField(_("found at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ending = models.CharField(_("ending"), max_length=16, choices=Ending, blank=True)
    claim = models.CharField(_("claim number"), max_length=64, blank=True)
    approval = models.CharField(_("request"), max_length=32, blank=True)
    journal = models.CharField(max_length=40, blank=True)
    """Subject of the journal that resolved it; "" once that is taken back, or none was needed."""
    journals = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["run", "found", "subject", "key"], name="difference_once"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="open", ended_at__isnull=True, ending="")
                    | (~Q(state="open") & Q(ended_at__isnull=False) & ~Q(ending=""))
                ),
                name="difference_end_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["found_at"], condition=Q(state="open"), name="difference_open"),
            models.Index(fields=["number"], name="difference_number"),
        ]

    def __str__(self) -> str:
        return f"{self.get_found_display()} {self.number or self.gateway_number}"

    @property
    def delta(self) -> Money:
        """By how much the bill would change what the channel owes us, fees left out."""
        sign = 1 if self.subject == Subject.PAYMENT else -1
        return Money(sign * ((self.theirs_minor or 0) - (self.ours_minor or 0)), self.currency)

    @property
    def fee_delta(self) -> Money:
        """What the gateway kept beyond what our books say; negative, it kept less."""
        return Money((self.theirs_fee_minor or 0) - (self.ours_fee_minor or 0), self.currency)

    def end(self, to: DifferenceState, ending: Ending, *, at: datetime) -> None:
        """End it on the row and in memory. The caller holds this row's lock."""
        require_difference_move(DifferenceState(self.state), to)
        self.state, self.ending, self.ended_at = to, ending, at
        self.save()
