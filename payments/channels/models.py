"""Channels: configured connections to gateways."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Channel(models.Model):
    """One connection. Its code is in the notification address and in ledger accounts: it never
    changes.
    """

    code = models.SlugField(_("code"), max_length=32, unique=True)
    gateway = models.CharField(_("gateway"), max_length=16)
    """A dialect's name."""
    name = models.CharField(_("name"), max_length=64)
    livemode = models.BooleanField(_("live mode"))
    is_active = models.BooleanField(_("active"), default=False)
    base_url = models.URLField(_("gateway address"), max_length=200)
    front_url = models.URLField(_("gateway address for browsers"), max_length=200)
    credentials_sealed = models.TextField(_("credentials"), editable=False)
    """JSON of the dialect's credentials, encrypted and bound to the code."""
    version = models.PositiveIntegerField(_("version"), default=1)
    """Grows with every change, so that processes notice."""
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"
