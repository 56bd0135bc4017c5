"""System checks of this storey, told by `manage.py check --deploy`."""

from collections.abc import Sequence
from typing import Any

from django.core import checks

from merchants.onboarding.recognising.choosing import Readiness, readiness


@checks.register(deploy=True)
def recogniser_is_there(app_configs: Any, **_: object) -> Sequence[checks.CheckMessage]:
    """Whether what RECOGNISER names is installed; without it people type what documents say."""
    state = readiness()
    if state in {Readiness.READY, Readiness.OFF}:
        return []
    return [
        checks.Warning(
            f"RECOGNISER is tesseract, but documents cannot be read ({state.value}).",
            hint="Install tesseract-ocr and tesseract-ocr-chi-sim, or set RECOGNISER=none.",
            id="merchants.W001",
        )
    ]
