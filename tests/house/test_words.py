"""Every action that any code records has words for people."""

import ast
from collections.abc import Iterator
from typing import Final

from compliance.approvals.states import ApprovalState
from compliance.audit.words import SENTENCES, sentence
from merchants.screening.states import DECIDED
from paysite.launcher.places import CHECKOUT

ROOMS: Final = ("compliance", "merchants", "payments", "paysite")
WRITERS: Final = ("record", "entry_values")
COMPOSED: Final = {
    "approval.{state}": [f"approval.{s}" for s in ApprovalState if s != ApprovalState.PENDING],
    "merchant.{to.value}": ["merchant.active", "merchant.suspended", "merchant.closed"],
    "merchant.{wanted.value}": ["merchant.active", "merchant.limited", "merchant.suspended"],
    "application.{to.value}": ["application.needs_changes", "application.rejected"],
    "screening.{to.value}": [f"screening.{state.value}" for state in DECIDED],
    "attempt.{to.value}": ["attempt.closed", "attempt.failed", "attempt.abandoned"],
    "refund.{refund.state}": ["refund.succeeded", "refund.failed", "refund.rejected"],
    "person.{deed}": ["person.added", "person.changed", "person.password_set"],
}
"""Actions that are put together, and everything that can come of it."""
HANDED_ON: Final = frozenset({
    "compliance/audit/trail.py", "compliance/approvals/decide.py",
    "compliance/identity/devices.py", "compliance/identity/failures.py",
    "compliance/identity/roles.py", "compliance/identity/reveal.py",
    "compliance/identity/stepup.py", "compliance/identity/passkeys.py",
    "compliance/protection/vault/files.py", "compliance/reports/issue.py",
    "compliance/reports/prepare.py", "merchants/terms/renewing.py",
})  # fmt: skip
"""Files with a writer of their own that is given the action: all their words are looked at."""


def actions() -> Iterator[tuple[str, str]]:
    """Place and action, for each call that writes an entry."""
    for room in ROOMS:
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            name = str(path.relative_to(CHECKOUT))
            for node in ast.walk(ast.parse(path.read_text())):
                yield from ((f"{name}:{line}", found) for line, found in _written(node, name))


def _written(node: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    if not isinstance(node, ast.Call) or len(node.args) < 1:
        return
    called = node.func.id if isinstance(node.func, ast.Name) else ""
    if called in WRITERS:
        if len(node.args) < 2 or name == "compliance/audit/trail.py":
            return
        told = node.args[1]
        if isinstance(told, ast.Name):
            yield from _variable(told, name)
            return
        yield from ((node.lineno, text) for text in _texts(told))
    elif (
        called.startswith("_tell") and name in HANDED_ON and isinstance(node.args[0], ast.Constant)
    ):
        yield from ((node.lineno, text) for text in _texts(node.args[0]))


def _variable(told: ast.Name, name: str) -> Iterator[tuple[int, str]]:
    """An action in a variable: only where this table knows what is handed on."""
    if name not in HANDED_ON:
        yield told.lineno, f"{told.id}: a variable, in a file that HANDED_ON does not name"
    for node in ast.walk(ast.parse((CHECKOUT / name).read_text())):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == told.id
        ):
            yield from ((node.lineno, text) for text in _texts(node.value))


def _texts(told: ast.AST) -> Iterator[str]:
    if isinstance(told, ast.Constant):
        yield str(told.value)
    elif isinstance(told, ast.IfExp):
        yield from _texts(told.body)
        yield from _texts(told.orelse)
    elif isinstance(told, ast.JoinedStr):
        shape = ast.unparse(told)[2:-1]
        yield from COMPOSED.get(shape, [shape])
    else:
        yield ast.unparse(told)


def test_every_action_that_is_recorded_has_words():
    recorded = list(actions())
    assert len(recorded) > 45
    assert [(place, action) for place, action in recorded if action not in SENTENCES] == []


def test_no_words_are_left_of_an_action_that_is_gone():
    assert set(SENTENCES) - {action for _place, action in actions()} == set()


def test_an_action_without_words_is_shown_as_it_is():
    assert sentence("tea.poured") == "tea.poured"
    assert sentence("signin.ended") != "signin.ended"
