"""The merchants storey as a Django application."""

from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    """See the package's docstring."""

    name = "merchants"
