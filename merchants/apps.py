"""The merchants storey as a Django application."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MerchantsConfig(AppConfig):
    """See the package's docstring."""

    name = "merchants"
    verbose_name = pgettext_lazy("application", "Merchants")

    def ready(self) -> None:
        """Tell the rotation of keys which columns are sealed, approvals which kinds exist, and
        screening whom to compare; register checks.
        """
        from compliance.protection.rotation import register_held_column
        from merchants import checks, reports  # noqa: F401
        from merchants.accounts import conduct
        from merchants.accounts.callback_secret import BEFORE, CURRENT
        from merchants.accounts.team_requests import register_kinds
        from merchants.letters import register_own_letters
        from merchants.onboarding import approving, retention
        from merchants.onboarding.regrading import register_regrading
        from merchants.onboarding.reviews import register_reviews
        from merchants.onboarding.screened import register_own_parties
        from merchants.screening.own import register_own_subjects

        register_own_letters()
        register_own_subjects()
        register_own_parties()
        register_regrading()
        register_reviews()
        retention.register_classes()
        for held in (CURRENT, BEFORE):
            register_held_column(held, model="merchants.Merchant", row="public_id")
        register_kinds()
        approving.register_kinds()
        conduct.register_kinds()
        reports.register_sections()
