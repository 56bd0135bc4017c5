"""Wiring of the Django project itself."""

import logging
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.models.signals import post_migrate

from paysite.safety import faults


class PaysiteConfig(AppConfig):
    """Commands of the platform as a whole."""

    name = "paysite"

    def ready(self) -> None:
        """Refuse to start unsafely, bind tasks to our Celery application, and say how often the
        periodic ones run.
        """
        if lines := faults(settings):
            raise SystemExit("\n".join(["Paysite does not start like this:", *lines]))
        logging.captureWarnings(capture=not settings.DEMO)
        import paysite.celery  # noqa: F401
        from compliance.jobs.registry import note_jobs, put_on_timetable
        from paysite.timetable import EVERY

        for storey in ("compliance", "merchants", "payments"):
            import_module(f"{storey}.tasks")  # Where each declares its jobs.
        put_on_timetable(EVERY)

        def after_migrating(apps: Apps = apps, **kwargs: Any) -> None:
            # A flush says so too, and names no state.
            if "job" in apps.all_models["compliance"]:  # Not when migrated back before them.
                note_jobs()

        post_migrate.connect(
            after_migrating,
            sender=apps.get_app_config("compliance"),
            weak=False,
            dispatch_uid="paysite.jobs",
        )


class AdminConfig(DjangoAdminConfig):
    """Django's admin behind our sign-in and second factor."""

    default_site = "paysite.adminsite.AdminSite"
