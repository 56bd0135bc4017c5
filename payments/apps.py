"""The payments storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """See the package's docstring."""

    name = "payments"
    verbose_name = _("Payments")
