"""Reads settings from the environment, and refuses a bad or missing one with a line that says what
to do.
"""

from pathlib import Path
from typing import Final

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR: Final = Path(__file__).resolve().parent.parent

env: Final = environ.FileAwareEnv()
"""Any setting NAME may also come from a file named in NAME_FILE."""

env.read_env(BASE_DIR / ".env", overwrite=False)


def required(name: str, *, demo: str | None) -> str:
    """A secret that production must set. `demo` stands in for it in demo mode; None means no
    stand-in.
    """
    value = env.str(name, default="")
    if value:
        return str(value)
    if demo is not None:
        return demo
    raise ImproperlyConfigured(
        f"{name} is not set. Put it in the environment, in .env, or in a file named by {name}_FILE."
    )
