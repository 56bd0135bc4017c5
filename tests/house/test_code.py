"""The house rules that no other tool checks: sizes, imports, arguments, first sentences."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from paysite.launcher.places import CHECKOUT

ROOMS: Final = ("compliance", "merchants", "payments", "paysite", "tests", "bench", "docs")
FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
POSITIONAL_MAX: Final = 6
FRAMEWORK_SIGNATURES: Final = frozenset({"render_change_form"})
"""Django calls these by position and has chosen how many."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*rooms: str) -> list[Path]:
    """Every module but migrations, which are written by a machine and never edited."""
    return sorted(
        path
        for room in rooms
        for path in (CHECKOUT / room).rglob("*.py")
        if "migrations" not in path.parts
    )


@cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def functions(path: Path) -> tuple[Function, ...]:
    return tuple(node for node in ast.walk(read(path)) if isinstance(node, Function))


def place(path: Path, node: ast.stmt) -> str:
    return f"{path.relative_to(CHECKOUT)}:{node.lineno}"


def test_there_is_code_to_judge():
    assert len(python_files(*ROOMS)) > 100


def test_no_function_imports_inside_itself():
    found = [
        place(path, node)
        for path in python_files(*ROOMS)
        for function in functions(path)
        if not (path.name == "apps.py" and function.name == "ready")
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert found == []


def test_files_are_one_subject_long():
    rooms = [room for room in ROOMS if room != "tests"]
    lengths = {path: len(path.read_text().splitlines()) for path in python_files(*rooms)}
    assert {str(path): lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_fit_on_a_screen():
    rooms = [room for room in ROOMS if room != "tests"]
    found = [
        f"{place(path, function)} {function.name}"
        for path in python_files(*rooms)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert found == []


def test_few_arguments_go_by_position():
    found = [
        f"{place(path, function)} {function.name}"
        for path in python_files(*ROOMS)
        for function in functions(path)
        if len(function.args.posonlyargs) + len(function.args.args) > POSITIONAL_MAX
        and function.name not in FRAMEWORK_SIGNATURES
    ]
    assert found == []


def test_each_file_opens_with_what_lives_there():
    found = [
        str(path.relative_to(CHECKOUT))
        for path in python_files(*ROOMS)
        if path.read_text().strip() and ast.get_docstring(read(path)) is None
    ]
    assert found == []


def test_the_launcher_needs_no_package():
    ours = {"paysite"}
    imported = {
        name.split(".")[0]
        for path in python_files("paysite/launcher")
        for node in ast.walk(read(path))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - ours <= sys.stdlib_module_names
    assert (CHECKOUT / "paysite" / "__init__.py").read_text() == ""


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=False, text=True
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    return [CHECKOUT / name for name in names if name and (CHECKOUT / name).is_file()]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.~])/(?:home/\w|root/|Users/\w|work/|tmp/bash)",
        r"#.*\b(?:TODO|FIXME|XXX)\b",
        "^(?:<{7}|>{7}) ",
    ],
    ids=["a path of one machine", "something unfinished", "a merge left open"],
)
def test_no_tracked_file_holds(pattern):
    found = []
    for path in tracked_files():
        if path.suffix in {".png", ".jpg", ".woff2", ".mo", ".txt"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()[:80]}")
    assert found == []
