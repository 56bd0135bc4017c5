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
        from payments import letters, reports
        from payments.acquiring import refund_approving
        from payments.channels import approving
        from payments.channels.registry import CREDENTIALS
        from payments.reconciliation import fees, resolving

        register_held_column(CREDENTIALS, model="payments.Channel", row="code")
        letters.register_own_letters()
        refund_approving.register_kinds()
        approving.register_kinds()
        resolving.register_kinds()
        fees.register_kinds()
        reports.register_sections()
