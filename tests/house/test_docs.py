"""Docs that say what the code says: settings, commands, vendored files, translations."""

import ast
import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from paysite.launcher.places import CHECKOUT

READERS: Final = [*sorted(CHECKOUT.glob("README*.md")), *sorted((CHECKOUT / "docs").glob("*.md"))]
VENDORED: Final = CHECKOUT / "static" / "VENDORED.md"
OTHERS: Final = {".woff", ".woff2", ".ttf", ".otf", ".map"}
"""Kinds of files that we do not write ourselves."""


def settings_read() -> list[str]:
    """Each name that paysite/settings.py takes from the environment."""
    tree = ast.parse((CHECKOUT / "paysite" / "settings.py").read_text())
    return sorted(
        {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
            and re.fullmatch(r"(?:env\.\w+|required)", ast.unparse(node.func))
        }
    )


def commands() -> list[str]:
    """Our management commands."""
    return sorted(
        path.stem
        for room in ("compliance", "merchants", "payments", "paysite")
        for path in (CHECKOUT / room).rglob("management/commands/*.py")
        if not path.stem.startswith("_")
    )


def is_told(word: str) -> bool:
    return any(re.search(rf"\b{re.escape(word)}\b", page.read_text()) for page in READERS)


def test_settings_are_found():
    assert {"DATABASE_URL", "SECRET_KEY", "FIELD_KEYS", "DEMO"} <= set(settings_read())


@pytest.mark.parametrize("name", settings_read())
def test_each_setting_is_told(name):
    assert is_told(name), f"{name} is read in paysite/settings.py and named in no page"


@pytest.mark.parametrize("name", commands())
def test_each_command_is_told(name):
    assert is_told(name), f"manage.py {name} is named in no page"


@pytest.mark.parametrize("target", ["run", "test", "check", "bench", "lock", "format"])
def test_each_make_target_is_told(target):
    assert any(f"make {target}" in page.read_text() for page in READERS)


def test_each_file_of_others_is_listed():
    listed = VENDORED.read_text()
    static = CHECKOUT / "static"
    foreign = [
        path
        for path in static.rglob("*")
        if path.suffix in OTHERS or ".min." in path.name or "vendor" in path.parts
    ]
    assert [str(path.relative_to(static)) for path in foreign if path.name not in listed] == []


def test_links_between_pages_lead_somewhere():
    lost = [
        f"{page.name}: {target}"
        for page in READERS
        for target in re.findall(r"\]\((?!\w+:|#|/)([^)#\s]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert lost == []


def test_translations_compile_and_are_complete(tmp_path: Path):
    for source in sorted((CHECKOUT / "locale").rglob("*.po")):
        done = subprocess.run(
            ["msgfmt", "--check", "--statistics", "-o", str(tmp_path / "made.mo"), str(source)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr
        assert "untranslated" not in done.stderr, f"{source}: {done.stderr}"
        assert "fuzzy" not in done.stderr, f"{source}: {done.stderr}"
