"""The table of letters: what each is for, who may do without it, and where one acts on it.

Rooms add their own. A letter whose kind stands here with a page becomes a notice as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise


class Reader(StrEnum):
    """Who gets letters of a kind."""

    ANYBODY = "anybody"
    MEMBER = "member"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterKind:
    """One kind of letter, by the name of its template."""

    template: str
    label: str | Promise
    reader: Reader = Reader.MEMBER
    is_optional: bool = False
    """Whether people may do without the e-mail. What is about security they may not."""
    page: str = ""
    """The name of the page where a member acts on it, where the letter names no page. Empty, and
    the letter names none: it becomes no notice.
    """


_kinds: Final[dict[str, LetterKind]] = {}


def register_letters(*kinds: LetterKind) -> None:
    """Make kinds known, once, from an application's `ready`."""
    for kind in kinds:
        if _kinds.get(kind.template, kind) != kind:
            raise ImproperlyConfigured(f"two kinds of letters are called {kind.template}")
        _kinds[kind.template] = kind


def find_letter_kind(template: str) -> LetterKind | None:
    """The kind of this name; None for one that nobody has named: it is always sent."""
    return _kinds.get(template)


def letter_kinds() -> Sequence[LetterKind]:
    """All of them, in the order in which rooms named them."""
    return list(_kinds.values())


def optional_kinds(*, is_staff: bool) -> Sequence[LetterKind]:
    """Those that such a person may do without."""
    own = Reader.STAFF if is_staff else Reader.MEMBER
    readers = {own, Reader.ANYBODY}
    return [kind for kind in letter_kinds() if kind.is_optional and kind.reader in readers]
