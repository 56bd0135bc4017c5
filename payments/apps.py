"""The payments storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class PaymentsConfig(AppConfig):
    """See the package's docstring."""

    name = "payments"
    verbose_name = pgettext_lazy("application", "Payments")

    def ready(self) -> None:
        """Tell rotation which column is sealed, approvals what is asked for here, and reports what
        we have to say.
        """
        from compliance.protection.rotation import register_held_column
        from payments import reports
        from payments.acquiring.refund_approving import register_kinds
        from payments.channels.registry import CREDENTIALS
        from payments.reconciliation import fees, resolving

        register_kinds()
        register_held_column(CREDENTIALS, model="payments.Channel", row="code")
        resolving.register_kinds()
        fees.register_kinds()
        reports.register_sections()
