"""The virtual environment, filled from the lock with hashes: by uv, or by plain pip."""

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from paysite.launcher.places import Places, one_at_a_time
from paysite.launcher.processes import run_logged
from paysite.launcher.progress import LaunchFailed

RUN_LOCK: Final = "requirements.txt"
DEV_LOCK: Final = "requirements-dev.txt"
ADVICE: Final = "Check that the package index can be reached, then try again."


def ensure(places: Places, *, env: Mapping[str, str], with_dev: bool) -> str:
    """Have .venv hold exactly a lock's packages. An environment with test tools keeps them."""
    with one_at_a_time(places.checkout / RUN_LOCK):
        known = read_marker(places)
        has_dev = known.get("lock") == DEV_LOCK or (places.venv / "bin" / "pytest").exists()
        lock = DEV_LOCK if with_dev or has_dev else RUN_LOCK
        wanted = {
            "lock": lock,
            "sha256": hashlib.sha256((places.checkout / lock).read_bytes()).hexdigest(),
            "python": sys.version.split()[0],
            "place": str(places.venv),
        }
        if known == wanted and places.python.exists():
            return "up to date"
        if not places.python.exists() or not is_same_place(known, wanted):
            create(places, env=env)
        word = fill(places, lock=lock, env=env)
        marker(places).write_text(json.dumps(wanted, indent=1), encoding="utf-8")
        return word


def marker(places: Places) -> Path:
    """Remembers which lock the environment was filled from."""
    return places.venv / "paysite.json"


def read_marker(places: Places) -> dict[str, Any]:
    """What the environment holds; empty when unknown."""
    try:
        known = json.loads(marker(places).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def is_same_place(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """An environment that was moved, or made by another Python, must be made anew."""
    return not known or (known["place"], known["python"]) == (wanted["place"], wanted["python"])


def create(places: Places, *, env: Mapping[str, str]) -> None:
    """Make an empty environment with the Python that runs us."""
    run_logged(
        [sys.executable, "-m", "venv", "--clear", str(places.venv)],
        what="The virtual environment could not be made",
        places=places,
        env=env,
        advice="On Debian: apt-get install python3-venv",
    )


def fill(places: Places, *, lock: str, env: Mapping[str, str]) -> str:
    """Install what the lock names, refusing any file whose hash it does not name."""
    if env.get("INSTALLER") != "pip" and fetch_uv(places, env=env):
        try:
            fill_by_uv(places, lock=lock, env=env)
        except LaunchFailed:
            pass  # It may see proxies and certificates otherwise than pip, which comes next.
        else:
            return f"{lock} by uv"
    run_logged(
        [str(places.python), "-m", "pip", "install", "--no-input", "--require-hashes", "-r", lock],
        what=f"Installing {lock} failed",
        places=places,
        env=env,
        advice=ADVICE,
    )
    return f"{lock} by pip"


def fill_by_uv(places: Places, *, lock: str, env: Mapping[str, str]) -> None:
    """Make the environment hold exactly the lock's packages. Raises LaunchFailed."""
    run_logged(
        [
            *(str(places.venv / "bin" / "uv"), "pip", "sync", "--require-hashes"),
            *("--compile-bytecode", "--system-certs", "--python", str(places.python), lock),
        ],
        what=f"Installing {lock} by uv failed",
        places=places,
        env={"UV_LINK_MODE": "copy", **env},
    )


def fetch_uv(places: Places, *, env: Mapping[str, str]) -> bool:
    """Have the uv that the lock names. Where there is no build of it, pip does the work."""
    pin = pinned(places.checkout / DEV_LOCK, "uv")
    version = pin.split("==")[1].split()[0]
    if (places.venv / "lib").exists() and list(
        places.venv.glob(f"lib/python*/site-packages/uv-{version}.dist-info")
    ):
        return True
    alone = places.venv / "uv.txt"
    alone.write_text(pin, encoding="utf-8")
    try:
        run_logged(
            [
                *(str(places.python), "-m", "pip", "install", "--no-input", "--no-deps"),
                *("--only-binary", ":all:", "--require-hashes", "-r", str(alone)),
            ],
            what="Installing uv failed",
            places=places,
            env=env,
        )
    except LaunchFailed:
        return False
    return True


def pinned(lock: Path, name: str) -> str:
    """One package's own lines of a lock: version and hashes."""
    found = re.search(
        rf"^{re.escape(name)}==.*?(?=^\S|\Z)", lock.read_text(encoding="utf-8"), re.M | re.S
    )
    if found is None:
        raise LaunchFailed(f"{lock.name} does not name {name}.", advice="make lock")
    return found.group()
