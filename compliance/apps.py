"""The compliance storey as a Django application."""

from typing import Any

from django.apps import AppConfig
from django.core.signals import request_started
from django.utils.translation import pgettext_lazy


class ComplianceConfig(AppConfig):
    """See the package's docstring."""

    name = "compliance"
    verbose_name = pgettext_lazy("application", "Compliance")

    def ready(self) -> None:
        """Register checks and sealed columns; meet every request with a living connection."""
        from compliance import checks, database  # noqa: F401
        from compliance.approvals import email_changes, factor_changes, role_changes
        from compliance.identity import failures, lockout
        from compliance.identity.models import TOTP_SECRETS
        from compliance.identity.own_letters import register_own_letters
        from compliance.protection.rotation import register_bound_column, register_held_column
        from compliance.reports import approving as reports
        from compliance.reports import own as report_sections
        from compliance.retention import erase, own

        register_own_letters()
        role_changes.register_kinds()
        failures.watch()
        lockout.watch()
        factor_changes.register_kinds()
        email_changes.register_kinds()
        erase.register_kinds()
        own.register_classes()
        reports.register_kinds()
        report_sections.register_sections()
        register_held_column(TOTP_SECRETS, model="compliance.Authenticator", row="user")
        register_bound_column(
            model="compliance.StepUp", column="form_sealed", row="public_id", prefix="step-up"
        )
        register_bound_column(
            model="compliance.Letter", column="body_sealed", row="public_id", prefix="letter"
        )

        def revive(**kwargs: Any) -> None:
            database.drop_dead_connection()

        request_started.connect(
            revive, weak=False, dispatch_uid="compliance.database.drop_dead_connection"
        )
