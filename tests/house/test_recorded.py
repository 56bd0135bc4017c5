"""Every verb of every room leaves an entry in the audit trail, or this table says why not."""

import ast
from pathlib import Path
from typing import Final

from paysite.launcher.places import CHECKOUT
from tests.house.test_code import python_files, read

ROOMS: Final = ("compliance", "merchants", "payments")
TRAIL: Final = "compliance.audit.trail"
WRITERS: Final = frozenset({(TRAIL, "record"), (TRAIL, "entry_values")})
NOT_RECORDED: Final[dict[str, str]] = {
    "merchants.screening.subjects.tell_dependants": "hands the actor on to rooms that record",
}

Place = tuple[str, str]
"""A module and a name in it."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def meanings(path: Path) -> dict[str, Place]:
    """What the bare names of a module stand for: its own functions and what it imports."""
    module = module_of(path)
    found: dict[str, Place] = {}
    for node in ast.walk(read(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = (module, node.name)
    return found


def uses() -> dict[Place, set[Place]]:
    """What each function names, `module.function` included."""
    found: dict[Place, set[Place]] = {}
    for path in python_files(*ROOMS):
        known = meanings(path)
        for function in ast.walk(read(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            named = found.setdefault((module_of(path), function.name), set())
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and node.id in known:
                    named.add(known[node.id])
                elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    package, name = known.get(node.value.id, ("", ""))
                    named.add((f"{package}.{name}", node.attr))
    return found


def verbs() -> list[Place]:
    """Public functions that take `actor` by its name."""
    return [
        (module_of(path), node.name)
        for path in python_files(*ROOMS)
        for node in read(path).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and any(argument.arg == "actor" for argument in node.args.kwonlyargs)
    ]


def test_every_verb_writes_to_the_trail():
    named, telling = uses(), set(WRITERS)
    while more := {place for place in named if place not in telling and named[place] & telling}:
        telling |= more

    assert len(verbs()) > 40
    silent = {f"{module}.{name}" for module, name in verbs() if (module, name) not in telling}
    assert silent == set(NOT_RECORDED)
