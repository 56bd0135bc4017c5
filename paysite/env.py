"""Reads settings from the environment, and refuses a bad or missing one with a line that says what
to do.
"""

from pathlib import Path
from typing import Final

import environ

BASE_DIR: Final = Path(__file__).resolve().parent.parent

env: Final = environ.FileAwareEnv()
"""Any setting NAME may also come from a file named in NAME_FILE."""

missing: Final[list[str]] = []
"""A line for each secret that production lacks; paysite.safety tells them with all other faults."""

env.read_env(BASE_DIR / ".env", overwrite=False)


def required(name: str, *, stand_in: str, is_demo: bool) -> str:
    """A secret that production must set. In demo mode, and only there, the stand-in will do: it is
    published with this code. Without it the platform does not start (see `missing`).
    """
    value = str(env.str(name, default=""))
    if is_demo:
        return value or stand_in
    if stand_in in value:
        missing.append(f"{name} holds the secret of the demo, which everybody knows.")
        return ""
    if not value:
        missing.append(
            f"{name} is not set. Put it in the environment, in .env, or in a file named by"
            f" {name}_FILE."
        )
    return value
