"""How much of a sensitive value may be shown, by its kind. Pure rules.

What is short shows less, down to nothing: a mask never shows more than half of a value.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

STAR: Final = "*"


class DataClass(StrEnum):
    """The classes of JR/T 0171, from the least to the most sensitive."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"


class Kind(StrEnum):
    """What a value is."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    IDENTITY_NUMBER = "identity_number"
    ACCOUNT = "account"
    SECRET = "secret"  # noqa: S105 -- the name of a kind


CLASS_OF: Final[Mapping[Kind, DataClass]] = MappingProxyType({
    Kind.NAME: DataClass.C2,
    Kind.PHONE: DataClass.C2,
    Kind.EMAIL: DataClass.C2,
    Kind.ADDRESS: DataClass.C2,
    Kind.IDENTITY_NUMBER: DataClass.C2,
    Kind.ACCOUNT: DataClass.C2,
    Kind.SECRET: DataClass.C3,
})  # fmt: skip


def masked(text: str, *, kind: Kind) -> str:
    """The text as people see it who were not shown it with a reason."""
    return _RULES[kind](text.strip())


def _ends(text: str, first: int, last: int) -> str:
    """The first and last letters, never more than half of all."""
    if 2 * (first + last) > len(text):
        first, last = min(first, len(text) // 4), min(last, len(text) // 4)
    hidden = len(text) - first - last
    return text[:first] + STAR * hidden + (text[-last:] if last else "")


def _email(text: str) -> str:
    name, at, domain = text.rpartition("@")
    return _ends(name, 1, 0) + at + domain if at and name else _all(text)


def _all(text: str) -> str:
    """Not even how long it is."""
    return STAR * 6 if text else ""


_RULES: Final[Mapping[Kind, Callable[[str], str]]] = MappingProxyType({
    Kind.NAME: lambda text: _ends(text, 1, 0),
    Kind.PHONE: lambda text: _ends(text, 3, 2),
    Kind.EMAIL: _email,
    Kind.ADDRESS: lambda text: _ends(text, 6, 0),
    Kind.IDENTITY_NUMBER: lambda text: _ends(text, 3, 4),
    Kind.ACCOUNT: lambda text: _ends(text, 0, 4),
    Kind.SECRET: _all,
})  # fmt: skip
