"""What the launcher reads from the environment, and what it tells the processes it starts."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from paysite.launcher.places import Places

MARK: Final = "PAYSITE_LAUNCHED"
"""In the environment of every process we start: its DATA_DIR, and which launch started it."""
TRUE: Final = frozenset({"true", "on", "ok", "y", "yes", "1"})


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines; comments, `export` and one pair of quotes are understood."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip().removeprefix("export ").strip()
        name, equals, value = line.partition("=")
        if not equals or line.startswith("#"):
            continue
        value = value.strip()
        if value[:1] in ('"', "'") and value.endswith(value[0]):
            value = value[1:-1]
        values[name.strip()] = value
    return values


def given(checkout: Path) -> dict[str, str]:
    """The environment as the platform's settings will see it: .env below the real one.

    A variable that is set but empty counts as not set.
    """
    real = {name: value for name, value in os.environ.items() if value}
    return {**read_env_file(checkout / ".env"), **real}


def names(environ: Mapping[str, str], setting: str) -> bool:
    """Whether the user has set it, directly or through a file."""
    return bool(environ.get(setting) or environ.get(f"{setting}_FILE"))


def is_demo(environ: Mapping[str, str]) -> bool:
    """The launcher plays the demo unless it is told not to."""
    return environ.get("DEMO", "true").lower() in TRUE


def demo_secrets(places: Places) -> dict[str, str]:
    """This installation's own random secrets, made once and kept where only its owner can read."""
    path = places.data / "secrets.env"
    if not path.exists():
        field_key = base64.b64encode(secrets.token_bytes(32)).decode()
        lines = f"SECRET_KEY={secrets.token_urlsafe(50)}\nFIELD_KEYS=local1:{field_key}\n"
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(lines)
        fresh.replace(path)
    return read_env_file(path)


def for_processes(
    places: Places, environ: Mapping[str, str], *, host: str, port: int
) -> dict[str, str]:
    """The environment of every process of the platform, before the servers add their addresses."""
    demo = is_demo(environ)
    made = demo_secrets(places) if demo else {}
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 -- compared, not bound
    # Compiled code is kept even where that is switched off: a dozen processes start at once.
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **{name: value for name, value in made.items() if not names(environ, name)},
        "BASE_URL": f"http://{f'[{shown}]' if ':' in shown else shown}:{port}",
        **kept,
        "DEMO": "true" if demo else "false",
        "DATA_DIR": str(places.data),
        "DJANGO_SETTINGS_MODULE": "paysite.settings",
        "PATH": f"{places.venv / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(places.venv),
        "PYTHONUNBUFFERED": "1",
        MARK: f"{places.data}#{secrets.token_hex(8)}",
    }
