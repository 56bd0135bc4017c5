"""Accounts, journals and their postings, and balance checkpoints."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AccountKind(models.TextChoices):
    """The chart of accounts. Every kind exists once per owner, currency and mode."""

    CHANNEL_RECEIVABLE = "channel_receivable", _("Owed to us by a channel")
    MERCHANT_PAYABLE = "merchant_payable", _("Owed by us to a merchant")
    MERCHANT_RESERVED = "merchant_reserved", _("Held back from a merchant")
    REFUND_IN_TRANSIT = "refund_in_transit", _("Refunds on their way to payers")
    FEE_INCOME = "fee_income", _("Fees earned")
    CHANNEL_FEE_EXPENSE = "channel_fee_expense", _("Fees paid to channels")
    PAYOUT_IN_TRANSIT = "payout_in_transit", _("Payouts on their way")
    BANK = "bank", _("Bank account")
    SUSPENSE = "suspense", _("Not yet explained")


class Account(models.Model):
    """One line of the chart. `owner` is a channel's code, a merchant's public id, or empty."""

    kind = models.CharField(max_length=24, choices=AccountKind)
    owner = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    livemode = models.BooleanField()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "owner", "currency", "livemode"], name="account_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.owner}" if self.owner else self.kind


class Journal(models.Model):
    """One fact about money. `kind` and `subject` together name it, so it cannot be booked twice."""

    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=40)
    """Public id of the payment or refund."""
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("journal")
        verbose_name_plural = _("journals")
        constraints = [
            models.UniqueConstraint(fields=["subject", "kind"], name="journal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Posting(models.Model):
    """One side of a journal. Debits are positive, credits negative; the account has the
    currency.
    """

    journal = models.ForeignKey(
        Journal, models.PROTECT, related_name="postings", verbose_name=_("journal")
    )
    account = models.ForeignKey(Account, models.PROTECT, db_index=False, verbose_name=_("account"))
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="posting_not_zero"),
        ]
        indexes = [
            models.Index(
                fields=["account", "id"], include=["amount_minor"], name="posting_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount_minor}"


class Checkpoint(models.Model):
    """An account's balance over all postings up to and including `posting_id`."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="checkpoints")
    posting_id = models.BigIntegerField()
    balance_minor = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "posting_id"], name="checkpoint_once"),
        ]
        ordering = [F("posting_id").desc()]

    def __str__(self) -> str:
        return f"{self.account_id} at {self.posting_id}"
