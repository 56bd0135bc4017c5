"""The merchants storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MerchantsConfig(AppConfig):
    """See the package's docstring."""

    name = "merchants"
    verbose_name = _("Merchants")
