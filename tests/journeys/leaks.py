"""Looks for secrets where they must not be: in a stolen copy of the database, and in logs."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from merchants.onboarding.masks import KIND_OF
from paysite.demo.applicant import SECTIONS
from tests.journeys.running import Platform

SECRET_NAMES: Final = frozenset({"password", "totp_secret", "api_key", "callback_secret"})
PATTERNS: Final = {
    "private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "API key": re.compile(rb"sk_(?:test|live)_[A-Za-z0-9]{32}"),
    "callback secret": re.compile(rb"whsec_[A-Za-z0-9+/]{30}"),
}


def leaks(platform: Platform) -> list[str]:
    """Which secret was found where. Asked when all journeys are over."""
    known = dict(seeded(platform))
    found = []
    for place, content in places(platform):
        found += [f"{name} in {place}" for name, secret in known.items() if secret in content]
        found += [f"{name} in {place}" for name, shape in PATTERNS.items() if shape.search(content)]
    return found


def seeded(platform: Platform) -> Iterator[tuple[str, bytes]]:
    """The secrets that this platform was started with."""
    yield from _named(platform.demo, "demo")
    for section, rows in SECTIONS.items():
        for row in rows:
            for name in KIND_OF.keys() & row.keys():
                yield f"{section}.{name}", row[name].encode()
    for line in (platform.data / "secrets.env").read_text().splitlines():
        name, _, value = line.partition("=")
        for secret in value.strip("'\"").split(","):
            if name in {"SECRET_KEY", "FIELD_KEYS"}:
                yield name, secret.rpartition(":")[2].encode()


def _named(part: Any, path: str) -> Iterator[tuple[str, bytes]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from _named(value, f"{path}.{name}")
        elif name in SECRET_NAMES:
            yield f"{path}.{name}", str(value).encode()


def places(platform: Platform) -> Iterator[tuple[str, bytes]]:
    """What a thief of the database gets, and what whoever reads logs gets."""
    dump = subprocess.run(
        # The sandbox plays other companies; what they keep is not ours.
        ["pg_dump", "--data-only", "--exclude-table=sandbox_*"],
        env=platform.environ, capture_output=True, check=True,
    )  # fmt: skip
    assert len(dump.stdout) > 100_000, "the dump holds the demo's history"
    yield "the database", dump.stdout
    logs = [path for path in Path(platform.data / "logs").rglob("*") if path.is_file()]
    assert logs
    for path in logs:
        yield path.name, path.read_bytes()
