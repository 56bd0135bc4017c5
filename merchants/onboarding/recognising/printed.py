"""Mends what machines confuse in print: numbers with check digits, days, punctuation. Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from merchants.onboarding.formats import Unfit

LONG_TERM: Final = "long"
"""How a term without an end is typed in a form (长期)."""

_LOWER: Final = str.maketrans("ilozsbgqt", "110256991")
"""Numbers are printed in capitals: what looks small is a digit."""
_NEVER_IN_CODES: Final = str.maketrans("IOZSV|]![", "10252" + "1111")
"""GB 32100 leaves out I, O, Z, S and V because they look like digits."""
_LOOKALIKES: Final = (
    "0DQUOC", "1ITLJ7", "2Z", "5S", "8B3", "6G", "4A", "9GPQ", "7TY1", "MNH", "XKY", "VUY", "EF",
    "PRF", "CG", "WN",
)  # fmt: skip
_DIGITS: Final = str.maketrans("OoQDIl|]![iZzSsB", "0000111111122558")
_DAY: Final = re.compile(r"(?<!\d)(\d{4})[年.\-/](\d{1,2})[月.\-/](\d{1,2})(?!\d)", re.ASCII)
_NEVER_ENDS: Final = re.compile(r"长期|永久|不约定|无固定")
_STROKE: Final = re.compile(r"[|\]](?=\d)|(?<=\d)[|\]]", re.ASCII)
_BETWEEN_CHINESE: Final = str.maketrans({",": "，", ";": "；", ":": "：", "(": "（", ")": "）",
                                         "〈": "（", "〉": "）", "《": "（"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mended:
    """A number whose check digits fit. `first` and `last` are the characters it was read from."""

    value: str
    first: int
    last: int
    is_repaired: bool


def find_number(text: str, length: int, read: Callable[[str], str]) -> Mended | None:
    """The one number in a text that `read` accepts, as it stands or with one character mended.

    None also when several fit: a guess among them would look as sure as a reading.
    """
    tidy = [_tidied(character) for character in text]
    exact = {
        value: Mended(value, first, first + length - 1, is_repaired=False)
        for first in range(len(tidy) - length + 1)
        for value in _accepted([_joined(tidy[first : first + length])], read)
    }
    if exact:
        return next(iter(exact.values())) if len(exact) == 1 else None
    repaired = {
        value: Mended(value, first, first + size - 1, is_repaired=True)
        for size in (length, length + 1)
        for first in range(len(tidy) - size + 1)
        for value in _accepted(_repairs(_joined(tidy[first : first + size]), length), read)
    }
    return next(iter(repaired.values())) if len(repaired) == 1 else None


def _tidied(character: str) -> str:
    return character.translate(_LOWER).upper().translate(_NEVER_IN_CODES)


def _joined(characters: list[str]) -> str:
    """With a sign that nothing accepts for what is neither letter nor digit."""
    return "".join(c if len(c) == 1 and c.isascii() and c.isalnum() else "?" for c in characters)


def _accepted(tries: "list[str] | Iterator[str]", read: Callable[[str], str]) -> Iterator[str]:
    for code in tries:
        try:
            yield read(code)
        except Unfit:
            continue


def _repairs(code: str, length: int) -> Iterator[str]:
    """Another character that looks alike, or one of two that were seen for one."""
    if "?" in code:
        return
    if len(code) > length:
        for place in range(1, len(code)):
            if code[place] == code[place - 1] or _look_alike(code[place], code[place - 1]):
                yield code[:place] + code[place + 1 :]
                yield code[: place - 1] + code[place:]
        return
    for place, character in enumerate(code):
        for group in _LOOKALIKES:
            if character in group:
                for other in group:
                    if other != character:
                        yield code[:place] + other + code[place + 1 :]


def _look_alike(one: str, other: str) -> bool:
    return any(one in group and other in group for group in _LOOKALIKES)


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when, as a form takes it; "" is what could not be read."""

    begins: str
    ends: str
    is_odd: bool
    """Ends on no anniversary: a digit may be wrong."""


def find_days(text: str) -> list[tuple[int, date]]:
    """Each day in a text and where it begins. 31 February is none."""
    found = []
    plain = text.translate(_DIGITS)
    for match in _DAY.finditer(plain):
        try:
            found.append((match.start(), date(*(int(part) for part in match.groups()))))
        except ValueError:
            continue
    return found


def find_term(text: str) -> Term:
    """Two days, or one and 长期. A day alone is the first only where nothing stands before it."""
    days = find_days(text)
    is_endless = _NEVER_ENDS.search(text) is not None
    if len(days) > 1:
        begins, ends = days[0][1], days[1][1]
        if begins >= ends:
            return Term("", "", is_odd=True)
        return Term(begins.isoformat(), ends.isoformat(), not _is_anniversary(begins, ends))
    if not days:
        return Term("", LONG_TERM if is_endless else "", is_odd=False)
    place, day = days[0]
    if sum(character.isdigit() for character in text[:place]) > 1:
        return Term("", day.isoformat(), is_odd=True)
    return Term(day.isoformat(), LONG_TERM if is_endless else "", is_odd=False)


def _is_anniversary(begins: date, ends: date) -> bool:
    """Terms are whole years, with or without the day itself."""
    days = {(ends + timedelta(days=extra)) for extra in (0, 1)}
    return any((day.month, day.day) == (begins.month, begins.day) for day in days)


def chinese(text: str) -> str:
    """With the punctuation that Chinese print has, and 1 for a stroke among digits."""
    return _STROKE.sub("1", text).translate(_BETWEEN_CHINESE)
