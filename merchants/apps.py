"""The merchants storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MerchantsConfig(AppConfig):
    """See the package's docstring."""

    name = "merchants"
    verbose_name = pgettext_lazy("application", "Merchants")
