"""What the sandbox gateways remember. These tables exist in demo mode only."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.money import Money


class GatewayName(models.TextChoices):
    """The gateways the sandbox plays."""

    ALIPAY = "alipay", _("Alipay")
    WECHATPAY = "wechatpay", _("WeChat Pay")
    UNIONPAY = "unionpay", _("UnionPay")


class OrderState(models.TextChoices):
    """One vocabulary for all three; each speaker translates it into its own."""

    WAITING = "waiting", _("Waiting")
    PAID = "paid", _("Paid")
    CLOSED = "closed", _("Closed")


class SandboxOrder(models.Model):
    """An order as the gateway knows it. `number` is the merchant's."""

    gateway = models.CharField(max_length=16, choices=GatewayName)
    merchant = models.CharField(max_length=64)
    number = models.CharField(max_length=64)
    gateway_number = models.CharField(max_length=64, unique=True)
    reference = models.CharField(max_length=128, blank=True, db_index=True)
    """The payment's public id, from the echo field."""
    product = models.CharField(max_length=32)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    subject = models.CharField(max_length=512)
    state = models.CharField(max_length=16, choices=OrderState, default=OrderState.WAITING)
    notify_url = models.CharField(max_length=512)
    return_url = models.CharField(max_length=2048, blank=True)
    fields = models.JSONField(default=dict)
    """What else the request said and later messages must repeat (txnTime, app id, ...)."""
    token = models.CharField(max_length=64, unique=True)
    """Names the wallet page: /sandbox/wallet/<token>/ ."""
    paid_minor = models.BigIntegerField(null=True)
    """Differs from amount_minor only when the control endpoint was told to lie."""
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    """When a customer first opened the wallet; some gateways know no order before that."""
    expires_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("gateway", "merchant", "number", name="sandbox_order_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.number}"

    @property
    def amount(self) -> Money:
        """What the merchant asked for."""
        return Money(self.amount_minor, self.currency)

    @property
    def paid(self) -> Money:
        """What the payer gave, as the gateway says it."""
        return Money(self.paid_minor or 0, self.currency)

    def has_lapsed(self, at: datetime) -> bool:
        """Whether the time for paying is over. Not every gateway closes the order then."""
        return self.expires_at is not None and self.expires_at <= at


class SandboxRefund(models.Model):
    """A refund as the gateway knows it."""

    order = models.ForeignKey(SandboxOrder, models.CASCADE, related_name="refunds")
    number = models.CharField(max_length=64)
    gateway_number = models.CharField(max_length=64, unique=True)
    amount_minor = models.BigIntegerField()
    notify_url = models.CharField(max_length=512, blank=True)
    fields = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default="succeeded")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("order", "number", name="sandbox_refund_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order} refund {self.number}"

    @property
    def amount(self) -> Money:
        """What went back."""
        return Money(self.amount_minor, self.order.currency)


class SandboxFault(models.Model):
    """A misbehaviour that the next `remaining` calls to a gateway will meet."""

    gateway = models.CharField(max_length=16, choices=GatewayName)
    fault = models.CharField(max_length=32)
    remaining = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.gateway} {self.fault} x{self.remaining}"


class SandboxGateway(models.Model):
    """One gateway as a whole: its keys and whether it is up."""

    gateway = models.CharField(max_length=16, choices=GatewayName, primary_key=True)
    is_down = models.BooleanField(default=False)
    keys = models.JSONField(default=dict)
    """PEM texts by name; made once by `keyring.keys_of`. Test keys, worth nothing."""

    def __str__(self) -> str:
        return self.gateway


class SandboxMessage(models.Model):
    """A notification to a merchant's platform: sent until acknowledged, on the gateway's schedule.

    Its bytes are made anew for each send, because a gateway signs each send with the time of it.
    """

    gateway = models.CharField(max_length=16, choices=GatewayName)
    order = models.ForeignKey(SandboxOrder, models.CASCADE, related_name="messages")
    refund = models.ForeignKey(SandboxRefund, models.CASCADE, null=True, related_name="messages")
    """Set when the message tells of a refund."""
    notice_id = models.CharField(max_length=64, db_index=True)
    """The same over all sends and copies of one notification."""
    url = models.CharField(max_length=512)
    tamper = models.CharField(max_length=16, blank=True)
    """What the control endpoint wants spoiled."""
    tries = models.PositiveIntegerField(default=0)
    tries_max = models.PositiveIntegerField()
    due_at = models.DateTimeField(null=True, db_index=True)
    """None when acknowledged or given up."""
    answer = models.CharField(max_length=64, blank=True)
    """What the last try was answered: a status, or why there was no answer."""
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.gateway} {self.notice_id}"


class SandboxNonce(models.Model):
    """A word that a caller has used up. Rows, and not the cache: a gateway has its own memory, and
    goes on when ours is gone.
    """

    word = models.CharField(max_length=64, primary_key=True)
    used_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.word


class SandboxBill(models.Model):
    """A day's bill that the control endpoint had a say in. Other days are billed as they were."""

    gateway = models.CharField(max_length=16, choices=GatewayName)
    day = models.DateField()
    is_late = models.BooleanField(default=False)
    """Not published until the control endpoint asks for the day again."""
    planted = models.JSONField(default=dict)
    """The errors, by kind: numbers that are missing, or wrong in amount or fee; extra lines."""

    class Meta:
        constraints = [
            models.UniqueConstraint("gateway", "day", name="sandbox_bill_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.day}"


class EnrolmentState(models.TextChoices):
    """Where an application stands with the reviewer; each speaker says it in its own words."""

    AUDITING = "auditing", _("In review at the gateway")
    REJECTED = "rejected", _("Sent back")
    TO_BE_CONFIRMED = "to_be_confirmed", _("Account to be proven")
    TO_BE_SIGNED = "to_be_signed", _("To be signed")
    SIGNING = "signing", _("Being opened")
    FINISHED = "finished", _("Finished")
    CANCELED = "canceled", _("Cancelled")
    ODD = "odd", "odd"
    """Said in a word that the interface does not have."""


class SandboxEnrolment(models.Model):
    """A merchant's application as the gateway knows it: which fields came, never what they say."""

    gateway = models.CharField(max_length=16, choices=GatewayName)
    merchant = models.CharField(max_length=64)
    """Who handed it in."""
    number = models.CharField(max_length=128)
    gateway_number = models.CharField(max_length=32, unique=True)
    state = models.CharField(max_length=16, choices=EnrolmentState, default=EnrolmentState.AUDITING)
    fields = models.JSONField(default=list)
    """Paths of what was stated."""
    reasons = models.JSONField(default=dict)
    """What the reviewer says of which field."""
    times = models.PositiveIntegerField(default=1)
    """How often it was handed in."""
    token = models.CharField(max_length=64, unique=True)
    """Names the page on which it is signed."""
    sub_merchant = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("gateway", "merchant", "number", name="sandbox_enrolment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.number}"


class SandboxPicture(models.Model):
    """A picture that was handed over: its mark and digest, not the picture."""

    gateway = models.CharField(max_length=16, choices=GatewayName)
    mark = models.CharField(max_length=128, unique=True)
    sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.gateway} {self.mark[:12]}"
