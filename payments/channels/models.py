"""Channels: configured connections to gateways, and every configuration that they had or may get.

`Channel` holds what works now and is all that a payment reads. Its configuration comes from a
`ChannelVersion`, which is never changed; `ChannelActivation` says when which version came to work.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from compliance.protection.columns import SealedTextField
from payments.channels.states import CHANNEL_MOVES, ChannelState
from payments.errors import IllegalMove


class Channel(models.Model):
    """One connection. Its code is in the notification address and in ledger accounts: it never
    changes.
    """

    code = models.SlugField(_("code"), max_length=32, unique=True)
    gateway = models.CharField(_("gateway"), max_length=16)
    """A dialect's name."""
    name = models.CharField(_("name"), max_length=64)
    livemode = models.BooleanField(_("live mode"))
    state = models.CharField(
        _("state"), max_length=8, choices=ChannelState, default=ChannelState.DRAFT
    )
    base_url = models.URLField(_("gateway address"), max_length=200, blank=True)
    front_url = models.URLField(_("gateway address for browsers"), max_length=200, blank=True)
    credentials_sealed = models.TextField(_("credentials"), editable=False, blank=True)
    """JSON of the dialect's credentials, encrypted and bound to the code."""
    offers = models.JSONField(_("methods, limits and merchants"), default=dict, db_default={})
    """`configuration.Offers` of the active version."""
    version = models.PositiveIntegerField(_("version"), default=0)
    """Grows with every change of what works, so that processes notice."""
    expires_at = models.DateTimeField(_("certificate ends at"), null=True)
    """The earliest end among the certificates of the active version."""
    told_days = models.PositiveSmallIntegerField(null=True, editable=False)
    """The last stage of the expiry watch that letters were written for."""
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | ~Q(credentials_sealed=""),
                name="channel_works_with_configuration",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def move(self, to: ChannelState) -> None:
        """Change the state. The caller holds this row's lock. Raises IllegalMove."""
        if to not in CHANNEL_MOVES[ChannelState(self.state)]:
            raise IllegalMove(channel=self.code, state=self.state, to=str(to))
        self.state = to
        self.version += 1
        self.save(update_fields=["state", "version"])


class ChannelVersion(models.Model):
    """One configuration of a channel, whole, as somebody wrote it. Rows are only ever added."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    configuration = models.JSONField(_("configuration"))
    """`configuration.Settings`: all that is no secret."""
    reason = models.CharField(_("reason"), max_length=500)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("made by"),
    )  # fmt: skip
    """Empty for what an installation set up from its shell."""
    copied_from = models.PositiveIntegerField(_("copied from version"), null=True)
    expires_at = models.DateTimeField(_("certificate ends at"), null=True)
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("channel's version")
        verbose_name_plural = _("channels' versions")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["channel", "number"], name="channel_version_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="channel_version_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} #{self.number}"


class ChannelSecret(models.Model):
    """One secret of a version. It is never shown again; its fingerprint tells it from others."""

    place = models.CharField(max_length=96, unique=True)
    """Code, version and name: what the ciphertext is bound to."""
    version = models.ForeignKey(ChannelVersion, models.PROTECT, related_name="secrets")
    name = models.CharField(max_length=40)
    value = SealedTextField(purpose="channel-secret", row="place")
    fingerprint = models.CharField(_("fingerprint"), max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="channel_secret_once"),
        ]

    def __str__(self) -> str:
        return self.place


class ChannelActivation(models.Model):
    """A version came to work. Rows are only ever added."""

    version = models.ForeignKey(ChannelVersion, models.PROTECT, related_name="activations")
    request = models.CharField(_("request"), max_length=32, blank=True)
    """The approval; empty for what an installation set up from its shell."""
    agreed_by = models.CharField(_("agreed by"), max_length=150, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.version} {self.at:%Y-%m-%d %H:%M}"
