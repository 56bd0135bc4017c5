"""Mends what machines confuse in print: numbers with check digits, days, punctuation. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from merchants.onboarding.formats import Unfit

LONG_TERM: Final = "long"
"""How a term without an end is typed in a form (长期)."""

_LOWER: Final = str.maketrans("ilozsbgqt", "110256991")
"""Numbers are printed in capitals: what looks small is a digit."""
_NEVER_IN_CODES: Final = str.maketrans("IOZS|]![", "10251111")
"""GB 32100 leaves out I, O, Z and S because they look like digits."""
_FOREIGN: Final = "?"
_LOOKALIKES: Final = (
    "0DQUOC", "1ITLJ7", "2Z", "5S", "8B3", "6G", "4A", "9GPQ", "7TY1", "MNH", "XKY", "VUY", "EF",
    "PRF", "CG", "WN",
)  # fmt: skip
_DIGITS: Final = str.maketrans("OoQDIl|]![iZzSsB", "0000111111122558")
_DAY: Final = re.compile(r"(?<!\d)(\d{4})[年.\-/](\d{1,2})[月.\-/](\d{1,2})(?!\d)", re.ASCII)
_NEVER_ENDS: Final = re.compile(r"长期|永久|不约定|无固定")
_STROKE: Final = re.compile(r"[|\]](?=[\d号幢栋楼层室])|(?<=\d)[|\]]", re.ASCII)
_BETWEEN_CHINESE: Final = str.maketrans({",": "，", ";": "；", ":": "：", "(": "（", ")": "）",
                                         "〈": "（", "〉": "）", "《": "（"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mended:
    """A number whose check digits fit. `first` and `last` are the characters it was read from."""

    value: str
    first: int
    last: int
    is_repaired: bool = False


def find_number(text: str, length: int, read: Callable[[str], str]) -> Mended | None:
    """The one number in a text that `read` accepts. None also when there are several."""
    return _only(_found(_windows(text, length), read))


def mend_number(text: str, length: int, read: Callable[[str], str]) -> Mended | None:
    """The same, or else the one that fits when one character is mended.

    None when several fit: a guess among them would look like a reading. Only for numbers with
    more than one check digit.
    """
    exact = _found(_windows(text, length), read)
    if exact:
        return _only(exact)
    windows = [*_windows(text, length), *_windows(text, length + 1)]
    repairs = [(first, size, other) for first, size, code in windows
               for other in _repairs(code, length)]  # fmt: skip
    mended = _only(_found(repairs, read))
    return replace(mended, is_repaired=True) if mended is not None else None


def _windows(text: str, size: int) -> list[tuple[int, int, str]]:
    """Each part of that size without foreign signs, with where it begins."""
    tidy = "".join(_tidied(character) for character in text)
    parts = [(first, size, tidy[first : first + size]) for first in range(len(tidy) - size + 1)]
    return [part for part in parts if _FOREIGN not in part[2]]


def _found(tries: Iterable[tuple[int, int, str]], read: Callable[[str], str]) -> dict[str, Mended]:
    found = {}
    for first, size, code in tries:
        try:
            value = read(code)
        except Unfit:
            continue
        found[value] = Mended(value, first, first + size - 1)
    return found


def _only(found: Mapping[str, Mended]) -> Mended | None:
    return next(iter(found.values())) if len(found) == 1 else None


def _tidied(character: str) -> str:
    """As it stands in a number, or a sign for what does not: one character for one."""
    tidy = character.translate(_LOWER).upper().translate(_NEVER_IN_CODES)
    return tidy if len(tidy) == 1 and tidy.isascii() and tidy.isalnum() else _FOREIGN


def _repairs(code: str, length: int) -> Iterator[str]:
    """Another character that looks alike, or one of two that were seen for one."""
    return _shortened(code) if len(code) > length else _changed(code)


def _shortened(code: str) -> Iterator[str]:
    for place in range(1, len(code)):
        if _look_alike(code[place], code[place - 1]):
            yield code[:place] + code[place + 1 :]
            yield code[: place - 1] + code[place:]


def _changed(code: str) -> Iterator[str]:
    for place, character in enumerate(code):
        for other in "".join(group for group in _LOOKALIKES if character in group):
            yield code[:place] + other + code[place + 1 :]


def _look_alike(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in _LOOKALIKES)


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
