"""The locks: complete, hashed, free of anybody's registry, and agreeing with each other."""

import re
import tomllib
from typing import Final

import pytest

from paysite.launcher.places import CHECKOUT
from paysite.launcher.virtualenv import DEV_LOCK, RUN_LOCK, pinned

PIN: Final = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((CHECKOUT / lock).read_text()))


def asked_for() -> dict[str, list[str]]:
    """Names that people wrote into pyproject.toml, for the product and for work on it."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())

    def bare(lines: list[str]) -> list[str]:
        return [re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in lines]

    return {
        RUN_LOCK: bare(project["project"]["dependencies"]),
        DEV_LOCK: bare(project["dependency-groups"]["dev"]),
    }


@pytest.mark.parametrize("lock", [RUN_LOCK, DEV_LOCK])
def test_what_people_ask_for_is_locked(lock):
    assert [name for name in asked_for()[lock] if name not in pins(lock)] == []


@pytest.mark.parametrize("lock", [RUN_LOCK, DEV_LOCK])
def test_each_pin_has_a_hash_and_no_line_names_a_server(lock):
    text = (CHECKOUT / lock).read_text()

    assert [
        name for name in pins(lock) if "--hash=sha256:" not in pinned(CHECKOUT / lock, name)
    ] == []
    assert "://" not in text
    assert not re.search(r"^--(?!hash)", text, re.MULTILINE)


def test_tests_run_with_the_versions_that_users_get():
    run, dev = pins(RUN_LOCK), pins(DEV_LOCK)

    assert {
        name: (version, dev.get(name)) for name, version in run.items() if dev.get(name) != version
    } == {}
