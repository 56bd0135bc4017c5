"""What the log lines of one request or task have in common: its number, and who is served.

Doors begin and end it; rooms that learn who is there add what they know. Nothing secret goes in.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

_SHAPE: Final = re.compile(r"[0-9A-Za-z._-]{8,64}")
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_facts: Final[ContextVar[dict[str, object] | None]] = ContextVar("trace_facts", default=None)


def new_request_id() -> str:
    """A number that no other request has."""
    return secrets.token_hex(16)


def is_request_id(text: str) -> bool:
    """Whether a number from outside may be taken over into our lines and answers."""
    return _SHAPE.fullmatch(text) is not None


@contextmanager
def traced(**facts: object) -> Iterator[None]:
    """Every line that is written inside tells these facts."""
    begin(**facts)
    try:
        yield
    finally:
        end()


def begin(**facts: object) -> None:
    """The same for doors that are told of the beginning and of the end apart."""
    _facts.set(dict(facts))


def end() -> None:
    """Lines tell nothing in common any more."""
    _facts.set(None)


def note(**facts: object) -> None:
    """Add what was learnt since: who is there, for which merchant. Outside a request: nothing."""
    known = _facts.get()
    if known is not None:
        known.update(facts)


def trace() -> Mapping[str, object]:
    """What is known of the request or task under way."""
    return _facts.get() or _NOTHING


def request_id() -> str:
    """The number of the request under way, or ""."""
    return str(trace().get("request_id", ""))
