"""The payments storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class PaymentsConfig(AppConfig):
    """See the package's docstring."""

    name = "payments"
    verbose_name = pgettext_lazy("application", "Payments")
