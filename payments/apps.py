"""The payments storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class PaymentsConfig(AppConfig):
    """See the package's docstring."""

    name = "payments"
    verbose_name = pgettext_lazy("application", "Payments")

    def ready(self) -> None:
        """Tell the rotation of keys which column is sealed, and reports what we have to say."""
        from compliance.protection.rotation import register_held_column
        from payments import reports
        from payments.channels.registry import CREDENTIALS

        register_held_column(CREDENTIALS, model="payments.Channel", row="code")
        reports.register_sections()
