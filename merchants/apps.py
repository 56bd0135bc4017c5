"""The merchants storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MerchantsConfig(AppConfig):
    """See the package's docstring."""

    name = "merchants"
    verbose_name = pgettext_lazy("application", "Merchants")

    def ready(self) -> None:
        """Tell the rotation of keys which columns are sealed, and register checks."""
        from compliance.protection.rotation import register_held_column
        from merchants import checks  # noqa: F401
        from merchants.accounts.callback_secret import BEFORE, CURRENT

        for held in (CURRENT, BEFORE):
            register_held_column(held, model="merchants.Merchant", row="public_id")
