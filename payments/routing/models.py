"""The circuit of each channel, in the one place that all processes share."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.channels.models import Channel
from payments.routing.states import BreakerState


class ChannelHealth(models.Model):
    """See `breaker`. A channel without a row has never failed."""

    channel = models.OneToOneField(Channel, models.CASCADE, related_name="health")
    state = models.CharField(
        _("state"), max_length=9, choices=BreakerState, default=BreakerState.CLOSED
    )
    since = models.DateTimeField(_("since"), null=True)
    ok = models.PositiveIntegerField(_("answers"), default=0)
    failed = models.PositiveIntegerField(_("failures"), default=0)
    opened = models.PositiveIntegerField(_("times taken out"), default=0)
    retry_at = models.DateTimeField(_("tried again at"), null=True)

    class Meta:
        verbose_name = _("channel's health")
        verbose_name_plural = _("channels' health")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="closed") | models.Q(retry_at__isnull=False),
                name="channel_health_comes_back",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.get_state_display()}"
