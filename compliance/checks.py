"""System checks of this storey, run before every start."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

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
