"""Events and the callbacks that carry them to merchants."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Merchant


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
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class Callback(models.Model):
    """One event on its way to one address. The row is the truth; whoever holds its lease delivers
    it.
    """

    event = models.ForeignKey(
        Event, models.PROTECT, related_name="callbacks", verbose_name=_("event")
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    url = models.CharField(_("address"), max_length=1024)
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
