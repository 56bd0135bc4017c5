"""Wiring of the Django project itself."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class PaysiteConfig(AppConfig):
    """Commands of the platform as a whole."""

    name = "paysite"

    def ready(self) -> None:
        """Bind shared tasks to our Celery application in every process."""
        import paysite.celery  # noqa: F401


class AdminConfig(DjangoAdminConfig):
    """Django's admin behind our sign-in and second factor."""

    default_site = "compliance.identity.adminsite.PlatformAdminSite"
