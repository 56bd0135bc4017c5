"""Payments, attempts, refunds, and what gateways told us about them. Rows are never deleted."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from merchants.models import Merchant
from payments.acquiring.states import (
    ASKED,
    LIVE,
    REFUND_MOVES,
    AttemptState,
    PaymentState,
    RefundState,
    require_attempt_move,
    require_payment_move,
    require_refund_move,
)
from payments.channels.models import Channel
from payments.money import Money


class Payment(models.Model):
    """A merchant's order that asks for money."""

    public_id = models.CharField(_("number"), max_length=32)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_index=False, verbose_name=_("merchant")
    )
    livemode = models.BooleanField(_("live mode"))
    merchant_order_no = models.CharField(_("merchant's order number"), max_length=64)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    subject = models.CharField(_("subject"), max_length=256)
    description = models.CharField(_("description"), max_length=1024, blank=True, db_default="")
    methods = ArrayField(models.CharField(max_length=32), db_default=[], verbose_name=_("methods"))
    """What the merchant allows; empty means every method."""
    return_url = models.CharField(max_length=1024, blank=True, db_default="")
    callback_url = models.CharField(max_length=1024, blank=True, db_default="")
    customer = models.JSONField(db_default={})
    metadata = models.JSONField(db_default={})
    checkout_token = models.CharField(max_length=64, blank=True, db_default="")
    """As `tokens` made it, for statements that tell of the payment. Nothing is ever found by it."""
    fingerprint = models.BinaryField(max_length=32)
    """SHA-256 of what the merchant asked for, to tell a repeat from another order."""
    state = models.CharField(
        _("state"), max_length=8, choices=PaymentState, db_default=PaymentState.PENDING
    )
    method = models.CharField(_("method"), max_length=32, blank=True, db_default="")
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, db_index=False, verbose_name=_("channel")
    )
    channel_trade_no = models.CharField(
        _("gateway's number"), max_length=64, blank=True, db_default=""
    )
    refunded_minor = models.BigIntegerField(_("refunded"), db_default=0)
    refunding_minor = models.BigIntegerField(_("being refunded"), db_default=0)
    """In refunds that are under way: asked for, and neither gone back nor given up."""
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    close_requested_at = models.DateTimeField(null=True)
    """Set when the merchant or expiry wants it closed; from then on no attempt is opened."""
    paid_at = models.DateTimeField(_("paid at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        # `unique=True` would make a second index for LIKE that nobody uses.
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="payment_public_id"),
            models.UniqueConstraint(
                fields=["merchant", "livemode", "merchant_order_no"], name="payment_order_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=models.F("amount_minor")),
                name="payment_refunded_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(
                    refunding_minor__gte=0,
                    refunded_minor__lte=models.F("amount_minor") - models.F("refunding_minor"),
                ),
                name="payment_refunds_within_amount",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="pending", paid_at__isnull=True, closed_at__isnull=True)
                    | Q(state="paid", paid_at__isnull=False, closed_at__isnull=True)
                    | Q(state="closed", paid_at__isnull=True, closed_at__isnull=False)
                ),
                name="payment_state_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | (Q(channel__isnull=False) & ~Q(method="")),
                name="payment_paid_names_channel",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "livemode", "id"], name="payment_merchant"),
            models.Index(
                fields=["expires_at"], condition=Q(state="pending"), name="payment_pending"
            ),
            models.Index(
                fields=["channel_trade_no"],
                condition=~Q(channel_trade_no=""),
                name="payment_channel_trade_no",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def amount(self) -> Money:
        """What the customer is asked for."""
        return Money(self.amount_minor, self.currency)

    def close(self, *, at: datetime) -> None:
        """Move to closed. The caller holds this row's lock and has no live attempt."""
        require_payment_move(PaymentState(self.state), PaymentState.CLOSED)
        self.state, self.closed_at = PaymentState.CLOSED, at
        self.save(update_fields=["state", "closed_at"])


class Attempt(models.Model):
    """One try to get a payment paid on one channel. `number` is our order number at the gateway."""

    number = models.CharField(_("number"), max_length=32)
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="attempts", verbose_name=_("payment")
    )
    channel = models.ForeignKey(Channel, models.PROTECT, db_index=False, verbose_name=_("channel"))
    method = models.CharField(_("method"), max_length=32)
    product = models.CharField(_("product"), max_length=16)
    device = models.CharField(_("device"), max_length=8, db_default="desktop")
    state = models.CharField(
        _("state"), max_length=12, choices=AttemptState, default=AttemptState.CREATED
    )
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    client_ip = models.GenericIPAddressField(_("customer's address"), null=True)
    choice = models.JSONField(_("choice of the channel"), null=True)
    """`routing.choose.Choice`: why this channel, and who was passed over for what."""
    presentation = models.JSONField(null=True)
    """What the customer is shown: see `presenting`."""
    failure = models.CharField(_("failure"), max_length=64, blank=True, db_default="")
    gateway_number = models.CharField(
        _("gateway's number"), max_length=64, blank=True, db_default=""
    )
    asked = models.PositiveSmallIntegerField(_("times asked"), db_default=0)
    """How often the gateway was asked about it."""
    asked_at = models.DateTimeField(_("last asked at"), null=True)
    ask_at = models.DateTimeField(_("ask again at"), null=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["number"], name="attempt_number"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state__in=sorted(LIVE)), name="attempt_one_live"
            ),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state="succeeded"), name="attempt_one_success"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=sorted(LIVE), ended_at__isnull=True)
                    | (~Q(state__in=sorted(LIVE)) & Q(ended_at__isnull=False))
                ),
                name="attempt_end_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ask_at"], condition=Q(state__in=sorted(ASKED)), name="attempt_ask"
            ),
            models.Index(
                fields=["gateway_number"],
                condition=~Q(gateway_number=""),
                name="attempt_gateway_number",
            ),
            # Reconciliation reads what ended lately; a B-tree would slow every payment down.
            BrinIndex(fields=["ended_at"], name="attempt_ended", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def amount(self) -> Money:
        """The payment's amount when the attempt was opened."""
        return Money(self.amount_minor, self.currency)

    def move(self, to: AttemptState, *, at: datetime) -> None:
        """Change the state on the row and in memory. The caller holds this row's lock."""
        require_attempt_move(AttemptState(self.state), to)
        self.state = to
        self.ended_at = None if to in LIVE else at
        if to not in ASKED:
            self.ask_at = None
        self.save()


class Refund(models.Model):
    """Money on its way back to a payer. `number` is ours at the gateway and never changes."""

    public_id = models.CharField(_("number"), max_length=32)
    number = models.CharField(max_length=32)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, db_index=False, verbose_name=_("merchant")
    )
    """Whose books it is in; none for a return of late money."""
    livemode = models.BooleanField(_("live mode"), db_default=False)
    merchant_refund_no = models.CharField(
        _("merchant's refund number"), max_length=64, blank=True, db_default=""
    )
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment")
    )
    attempt = models.ForeignKey(
        Attempt, models.PROTECT, related_name="refunds", verbose_name=_("attempt")
    )
    is_late_return = models.BooleanField(_("return of late money"))
    """Made by the platform because the attempt was paid too late; never part of the merchant's
    books.
    """
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=128)
    state = models.CharField(
        _("state"), max_length=12, choices=RefundState, default=RefundState.REQUESTED
    )
    failure = models.CharField(_("failure"), max_length=64, blank=True, db_default="")
    doer = models.CharField(max_length=80, blank=True, db_default="")
    """Who asked for it, as "user:7" or "api_key:key_…", to see amounts that are split."""
    requested_by = models.CharField(_("asked for by"), max_length=150, blank=True, db_default="")
    released_by = models.CharField(_("released by"), max_length=150, blank=True, db_default="")
    """The second person; empty where none was needed."""
    asked = models.PositiveSmallIntegerField(_("times asked"), db_default=0)
    due_at = models.DateTimeField(_("next step at"), null=True)
    created_at = models.DateTimeField(_("created at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="refund_public_id"),
            models.UniqueConstraint(fields=["number"], name="refund_number"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_positive"),
            models.CheckConstraint(
                condition=(
                    Q(state__in=["succeeded", "failed", "rejected"], ended_at__isnull=False)
                    | Q(state__in=["awaiting", "requested", "sent"], ended_at__isnull=True)
                ),
                name="refund_end_has_time",
            ),
            models.UniqueConstraint(
                fields=["attempt"], condition=Q(is_late_return=True), name="refund_late_once"
            ),
            models.CheckConstraint(
                condition=Q(is_late_return=True, merchant__isnull=True)
                | (Q(is_late_return=False, merchant__isnull=False) & ~Q(merchant_refund_no="")),
                name="refund_names_its_merchant",
            ),
            models.UniqueConstraint(
                fields=["merchant", "livemode", "merchant_refund_no"],
                condition=Q(merchant__isnull=False),
                name="refund_no_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "livemode", "id"],
                condition=Q(merchant__isnull=False),
                name="refund_of_merchant",
            ),
            models.Index(
                fields=["doer", "created_at"], condition=~Q(doer=""), name="refund_of_doer"
            ),
            models.Index(
                fields=["created_at"], condition=Q(state="awaiting"), name="refund_awaiting"
            ),
            models.Index(
                fields=["due_at"], condition=Q(state__in=["requested", "sent"]), name="refund_due"
            ),
            BrinIndex(fields=["ended_at"], name="refund_ended", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)

    def move(self, to: RefundState, *, at: datetime) -> None:
        """Change the state on the row and in memory. The caller holds this row's lock."""
        require_refund_move(RefundState(self.state), to)
        self.state = to
        if not REFUND_MOVES[to]:
            self.ended_at, self.due_at = at, None
        self.save()


class Verdict(models.TextChoices):
    """What became of a notification."""

    RECEIVED = "received", _("Received")
    BOOKED = "booked", _("Booked")
    LATE = "late", _("Booked, money goes back")
    ALREADY = "already", _("Known before")
    IGNORED = "ignored", _("Changes nothing")
    REFUSED = "refused", _("Not authentic")
    MISMATCH = "mismatch", _("Does not match our order")


class Notification(models.Model):
    """A gateway's message exactly as it came, and what we made of it. Copies share one row."""

    channel = models.ForeignKey(Channel, models.PROTECT, db_index=False, verbose_name=_("channel"))
    key = models.CharField(_("key"), max_length=128)
    headers = models.JSONField(_("headers"), db_default={})
    body = models.BinaryField(_("body"))
    address = models.GenericIPAddressField(_("address"), null=True)
    copies = models.PositiveIntegerField(_("copies"), db_default=1)
    verdict = models.CharField(
        _("verdict"), max_length=12, choices=Verdict, db_default=Verdict.RECEIVED
    )
    reason = models.CharField(_("reason"), max_length=64, blank=True, db_default="")
    number = models.CharField(_("number"), max_length=64, blank=True, db_default="")
    """The attempt or refund number that the message names."""
    received_at = models.DateTimeField(_("received at"), db_default=Now())

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["channel", "key"], name="notification_once"),
        ]
        indexes = [models.Index(fields=["number"], name="notification_number")]

    def __str__(self) -> str:
        return self.key


class IdempotencyKey(models.Model):
    """A merchant's number for one POST, and the payment that it made."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    livemode = models.BooleanField()
    key = models.CharField(max_length=128)
    fingerprint = models.BinaryField(max_length=32)
    payment = models.CharField(max_length=32)
    """Public id. Not a foreign key: the row is written before the payment, to win or lose the
    race.
    """
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "livemode", "key"], name="idempotency_key_once"
            ),
        ]

    def __str__(self) -> str:
        return self.key
