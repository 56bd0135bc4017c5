"""The merchants storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MerchantsConfig(AppConfig):
    """See the package's docstring."""

    name = "merchants"
    verbose_name = pgettext_lazy("application", "Merchants")

    def ready(self) -> None:
        """Tell the rotation of keys which columns are sealed."""
        from compliance.protection.rotation import register_bound_column

        for column in ("callback_secret_sealed", "callback_secret_before_sealed"):
            register_bound_column(
                model="merchants.Merchant",
                column=column,
                row="public_id",
                prefix="callback secret",
            )
