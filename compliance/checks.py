"""System checks of this storey, run before every start."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from compliance.audit.stamping import authority
from compliance.protection.errors import KeysMalformed
from compliance.protection.keys import keys


@register()
def field_keys_are_usable(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """compliance.E001: FIELD_KEYS is malformed. Nothing sealed could be opened."""
    try:
        keys()
    except KeysMalformed as error:
        return [
            Error(
                f"FIELD_KEYS cannot be used: {error}.",
                hint="Give `id:base64 of 32 random bytes`; several are separated by commas.",
                id="compliance.E001",
            )
        ]
    return []


@register()
def time_stamps_can_be_checked(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """compliance.E002: stamps that nobody can check prove nothing."""
    if not settings.TSA_URL:
        return []
    try:
        is_usable = bool(authority())
    except (OSError, ValueError):
        is_usable = False
    if is_usable and settings.TSA_URL.startswith(("https://", "http://")):
        return []
    return [
        Error(
            "TSA_URL is set, and it or TSA_CERTIFICATE cannot be used.",
            hint="Give an http(s) address, and a PEM file with the authority's root certificates.",
            id="compliance.E002",
        )
    ]
