"""Events and the callbacks that carry them to merchants."""

from datetime import datetime
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.columns import SealedTextField
from merchants.models import Merchant
from payments.callbacks.states import EndpointModes, EndpointState, require_endpoint_move

TEST: Final = "endpoint.test"
"""The type of an event that says nothing but that an endpoint can be reached. Not in the API."""


class EventType(models.TextChoices):
    """What merchants can be told."""

    PAYMENT_PAID = "payment.paid", _("Payment paid")
    PAYMENT_CLOSED = "payment.closed", _("Payment closed")
    REFUND_SUCCEEDED = "refund.succeeded", _("Refund succeeded")
    REFUND_FAILED = "refund.failed", _("Refund failed")


class CallbackState(models.TextChoices):
    """Whether a merchant has heard."""

    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    GIVEN_UP = "given_up", _("Given up")


class Event(models.Model):
    """Something that a merchant may want to know, with the object as it was then."""

    public_id = models.CharField(_("number"), max_length=32)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_index=False, verbose_name=_("merchant")
    )
    livemode = models.BooleanField(_("live mode"))
    type = models.CharField(_("type"), max_length=32, choices=EventType)
    """Or TEST."""
    subject = models.CharField(pgettext_lazy("record", "subject"), max_length=32)
    """Public id of the payment or refund."""
    data = models.JSONField(_("data"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["public_id"], name="event_public_id")]
        indexes = [
            models.Index(fields=["merchant", "livemode", "id"], name="event_merchant"),
            models.Index(fields=["subject"], name="event_subject"),
            BrinIndex(fields=["created_at"], name="event_created"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class Endpoint(models.Model):
    """An address of a merchant's program, what it is told, and the secret that signs it."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="callback_endpoints", verbose_name=_("merchant")
    )
    label = models.CharField(_("label"), max_length=64)
    url = models.CharField(_("address"), max_length=1024)
    event_types = ArrayField(models.CharField(max_length=32), default=list, verbose_name=_("types"))
    """Empty: all, also those that are still to come."""
    modes = models.CharField(_("modes"), max_length=4, choices=EndpointModes)
    is_fallback = models.BooleanField(_("only without own address"), db_default=False)
    """Not told of payments that name an address of their own."""
    state = models.CharField(
        _("state"), max_length=8, choices=EndpointState, default=EndpointState.ACTIVE
    )
    state_at = models.DateTimeField(_("since"))
    secret_sealed = SealedTextField(purpose="callback-endpoint", null=True)
    """None: what is sent there is signed with the merchant's default secret."""
    secret_before_sealed = SealedTextField(purpose="callback-endpoint", null=True)
    """The secret before the last rotation; messages carry both signatures until it ends."""
    secret_before_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    """Nothing was delivered since then."""
    paused_until = models.DateTimeField(_("paused until"), null=True)
    """It asked to be left alone until then."""
    created_by = models.CharField(_("created by"), max_length=128)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("callback endpoint")
        verbose_name_plural = _("callback endpoints")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=EndpointState.values), name="endpoint_state_known"
            ),
            models.CheckConstraint(
                condition=Q(modes__in=EndpointModes.values), name="endpoint_modes_known"
            ),
            models.CheckConstraint(condition=~Q(url=""), name="endpoint_has_address"),
            models.CheckConstraint(
                condition=Q(secret_before_sealed=None, secret_before_until=None)
                | Q(secret_before_sealed__isnull=False, secret_before_until__isnull=False),
                name="endpoint_old_secret_has_its_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["paused_until"],
                condition=Q(paused_until__isnull=False),
                name="endpoint_paused",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def move(self, to: EndpointState, *, at: datetime) -> None:
        """Change the state, and forget what was known of its health. The caller holds this row's
        lock. Raises IllegalMove.
        """
        require_endpoint_move(EndpointState(self.state), to)
        self.state, self.state_at = to, at
        self.failing_since = self.paused_until = None
        self.save(update_fields=["state", "state_at", "failing_since", "paused_until"])


class Callback(models.Model):
    """One event on its way to one address. The row is the truth; whoever holds its lease delivers
    it.
    """

    event = models.ForeignKey(
        Event, models.PROTECT, related_name="callbacks", verbose_name=_("event")
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    endpoint = models.ForeignKey(
        Endpoint, models.PROTECT, null=True, db_index=False, related_name="callbacks",
        verbose_name=_("callback endpoint"),
    )  # fmt: skip
    """None: the payment named the address."""
    url = models.CharField(_("address"), max_length=1024)
    """Where it goes, and after a try where it went: an endpoint's address can change."""
    state = models.CharField(
        _("state"), max_length=10, choices=CallbackState, db_default=CallbackState.PENDING
    )
    tries = models.PositiveSmallIntegerField(_("tries"), db_default=0)
    due_at = models.DateTimeField(_("next try at"), null=True)
    lease_until = models.DateTimeField(null=True)
    """While in the future, some process is delivering this row."""
    created_at = models.DateTimeField(_("created at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(state="pending", due_at__isnull=False, ended_at__isnull=True)
                    | (~Q(state="pending") & Q(due_at__isnull=True, ended_at__isnull=False))
                ),
                name="callback_state_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="callback_due"),
            models.Index(
                Coalesce(F("endpoint"), -F("merchant")),
                F("due_at"),
                condition=Q(state="pending"),
                name="callback_lane",
            ),
            models.Index(
                fields=["endpoint", "id"],
                condition=Q(endpoint__isnull=False),
                name="callback_of_endpoint",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.url}"


class CallbackTry(models.Model):
    """One HTTP request to a merchant and what came back."""

    callback = models.ForeignKey(Callback, models.PROTECT, related_name="history")
    number = models.PositiveSmallIntegerField(_("try"))
    at = models.DateTimeField(_("at"))
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    error = models.CharField(_("error"), max_length=64, blank=True)
    """Why there was no status: `timeout`, `connect`, `address_refused`, ..."""
    duration_ms = models.PositiveIntegerField(_("milliseconds"))
    answer = models.CharField(_("answer"), max_length=256, blank=True)

    class Meta:
        verbose_name = _("callback try")
        verbose_name_plural = _("callback tries")
        constraints = [
            models.UniqueConstraint(fields=["callback", "number"], name="callback_try_once"),
        ]

    def __str__(self) -> str:
        return f"{self.callback_id} #{self.number}"
