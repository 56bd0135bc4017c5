"""Wiring of the Django project itself."""

import logging

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig

from paysite.safety import faults


class PaysiteConfig(AppConfig):
    """Commands of the platform as a whole."""

    name = "paysite"

    def ready(self) -> None:
        """Refuse to start unsafely, and bind shared tasks to our Celery application."""
        if lines := faults(settings):
            raise SystemExit("\n".join(["Paysite does not start like this:", *lines]))
        logging.captureWarnings(capture=not settings.DEMO)
        import paysite.celery  # noqa: F401


class AdminConfig(DjangoAdminConfig):
    """Django's admin behind our sign-in and second factor."""

    default_site = "compliance.identity.adminsite.PlatformAdminSite"
