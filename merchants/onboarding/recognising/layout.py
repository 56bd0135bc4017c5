"""Finds printed labels on a page and what stands beside and below each. Pure geometry."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from merchants.onboarding.recognising.reading import (
    REPAIRED_CONFIDENCE_MAX,
    Box,
    Line,
    Page,
    Suggestion,
    mean,
)

CONFIDENCE_MIN: Final = 20
"""Below it, what has the shape of print may still be print; Latin letters are frames and faces."""
_MAYBE_PRINT: Final = re.compile(r"[^A-Za-z]{1,10}")
STOP: Final = "-"
"""Fields that begin so are none: their labels only end what stands above them."""
_QUOTES: Final = re.compile("[\"'“”‘’`´]")
"""The space between label and value is often taken for one."""
_EDGE_NOISE: Final = "\"'“”‘’`´，,。.、:;；：·_-—|~^*<>《》〈〉\\/=+"
# In heights of a label's characters:
_GAP_BEFORE_LABEL: Final = 0.6
_GAP_OF_COLUMNS: Final = 3.5
_GAP_OF_LINES: Final = 1.0
_SAME_LINE: Final = 0.6
_SAME_COLUMN: Final = 4.0
_HANGING: Final = 1.5


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character in its place."""

    text: str
    confidence: int
    box: Box


@dataclass(frozen=True, slots=True)
class Anchor:
    """A label that was found; `first` and `last` are its glyphs in the line."""

    field: str
    line: int
    first: int
    last: int
    errors: int
    box: Box


@dataclass(frozen=True, slots=True)
class Zone:
    """What belongs to a label, line by line."""

    lines: tuple[tuple[Glyph, ...], ...]

    @property
    def text(self) -> str:
        """All of it in one, without what specks leave: quotes, and signs at its edges."""
        joined = "".join(glyph.text for line in self.lines for glyph in line)
        bare = _QUOTES.sub("", joined)
        return bare.lstrip(_EDGE_NOISE).rstrip(_EDGE_NOISE.replace("。", ""))

    @property
    def glyphs(self) -> tuple[Glyph, ...]:
        """All characters."""
        return tuple(glyph for line in self.lines for glyph in line)

    @property
    def has_text(self) -> bool:
        """Whether it is more than a speck."""
        return len(self.text) > 1


def glyphs_of(line: Line) -> tuple[Glyph, ...]:
    """A line's characters at normal width, each with its share of its word's box."""
    found = []
    for word in line.words:
        if word.confidence < CONFIDENCE_MIN and not _MAYBE_PRINT.fullmatch(word.text):
            continue
        texts = [narrow(character) for character in word.text if not character.isspace()]
        weights = [2 if is_wide(text) else 1 for text in texts]
        whole, done = max(1, sum(weights)), 0
        width = word.box.right - word.box.left
        for text, weight in zip(texts, weights, strict=True):
            left = word.box.left + width * done // whole
            done += weight
            right = word.box.left + width * done // whole
            found.append(
                Glyph(text, word.confidence, Box(left, word.box.top, right, word.box.bottom))
            )
    return tuple(found)


def narrow(text: str) -> str:
    """Full-width letters, digits and signs at normal width (NFKC)."""
    return unicodedata.normalize("NFKC", text)


def is_wide(text: str) -> bool:
    """Whether it is a Chinese character."""
    return bool(text) and "\u2e80" <= text[0] <= "\u9fff"


def find_anchors(lines: Sequence[Sequence[Glyph]], labels: Mapping[str, str]) -> dict[str, Anchor]:
    """The surest label of each field (label -> field), the upper one of two that are as sure."""
    best: dict[str, Anchor] = {}
    for number, line in enumerate(lines):
        for anchor in _labels_of(number, line, labels):
            rival = best.get(anchor.field)
            if rival is None or anchor.errors < rival.errors:
                best[anchor.field] = anchor
    return best


def _labels_of(number: int, line: Sequence[Glyph], labels: Mapping[str, str]) -> list[Anchor]:
    """Those of one line, none within another."""
    found: list[Anchor] = []
    for first in range(len(line)):
        if found and first <= found[-1].last:
            continue
        if not _may_begin(line, first):
            continue
        tries = [
            anchor
            for label, field in labels.items()
            for anchor in _fits(number, line, first, label, field)
        ]
        if tries:
            found.append(min(tries, key=lambda anchor: (anchor.errors, -anchor.last)))
    return found


def _may_begin(line: Sequence[Glyph], first: int) -> bool:
    """A label stands alone; the same characters within a text are none."""
    if first == 0 or line[first - 1].text in _EDGE_NOISE:
        return True
    gap = line[first].box.left - line[first - 1].box.right
    return gap >= line[first].box.height * _GAP_BEFORE_LABEL


def _fits(
    number: int, line: Sequence[Glyph], first: int, label: str, field: str
) -> Iterable[Anchor]:
    """Long labels may have a wrong character, or one too few or too many."""
    allowed = len(label) // 4
    for size in range(len(label) - allowed, len(label) + allowed + 1):
        part = line[first : first + size]
        if len(part) < size:
            break
        errors = distance("".join(glyph.text for glyph in part), label)
        if errors <= allowed:
            box = Box.around(glyph.box for glyph in part)
            yield Anchor(field, number, first, first + size - 1, errors, box)


def distance(one: str, other: str) -> int:
    """How many characters must be changed, added or left out (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def zone_of(
    anchor: Anchor,
    anchors: Iterable[Anchor],
    lines: Sequence[Sequence[Glyph]],
    *,
    has_columns: bool,
) -> Zone:
    """What stands right of a label and below that, in the same column, until the next label.

    With columns, nothing crosses into the next one; without, only a label on the line ends it.
    """
    others = [other for other in anchors if other != anchor]
    height = median(line_anchor.box.height for line_anchor in [anchor, *others]) or 1
    limit = min(
        (
            other.box.left
            for other in others
            if other.box.left > anchor.box.right
            and (
                (has_columns and not other.field.startswith(STOP))
                or _is_beside(other.box, anchor.box, height)
            )
        ),
        default=None,
    )
    floor = min(
        (
            other.box.top
            for other in others
            if other.box.top > anchor.box.top + height * _SAME_LINE
            and abs(other.box.left - anchor.box.left) < height * _SAME_COLUMN
        ),
        default=None,
    )
    right = [
        _uncut(_right_of(line, number, anchor, limit, height), height)
        for number, line in enumerate(lines)
    ]
    return Zone(tuple(_paragraph(anchor, [part for part in right if part], floor, height)))


def _is_beside(one: Box, other: Box, height: float) -> bool:
    return abs((one.top + one.bottom) - (other.top + other.bottom)) / 2 < height * _SAME_LINE


def _right_of(
    line: Sequence[Glyph], number: int, anchor: Anchor, limit: int | None, height: float
) -> tuple[Glyph, ...]:
    return tuple(
        glyph
        for place, glyph in enumerate(line)
        if (place > anchor.last if number == anchor.line else True)
        and (glyph.box.left + glyph.box.right) / 2 > anchor.box.right - height * 0.2
        and (limit is None or (glyph.box.left + glyph.box.right) / 2 < limit - height * 0.2)
    )


def _uncut(line: tuple[Glyph, ...], height: float) -> tuple[Glyph, ...]:
    """Up to a gap as wide as between columns: beyond it is a label that nobody could read."""
    for place in range(1, len(line)):
        if line[place].box.left - line[place - 1].box.right > height * _GAP_OF_COLUMNS:
            return line[:place]
    return line


def _paragraph(
    anchor: Anchor, parts: Sequence[tuple[Glyph, ...]], floor: int | None, height: float
) -> list[tuple[Glyph, ...]]:
    """The first line is beside the label, the others follow closely and begin below its begin."""
    placed = sorted(
        ((Box.around(glyph.box for glyph in part), part) for part in parts),
        key=lambda pair: pair[0].top + pair[0].bottom,
    )
    beside = [pair for pair in placed if _is_beside(pair[0], anchor.box, height)]
    if not beside:
        return []
    chosen = [min(beside, key=lambda pair: pair[0].left)]
    begin = chosen[0][0].left
    for box, part in placed:
        above = chosen[-1][0]
        if box.top + box.bottom <= above.top + above.bottom + height:
            continue
        if floor is not None and (box.top + box.bottom) / 2 > floor:
            break
        if box.top - above.bottom > height * _GAP_OF_LINES:
            break
        if abs(box.left - begin) < height * _HANGING:
            chosen.append((box, part))
    return [part for _, part in chosen]


def text_of(line: Sequence[Glyph]) -> str:
    """One character a glyph, so that places in the text are places in the line."""
    return "".join(glyph.text if len(glyph.text) == 1 else "?" for glyph in line)


def doubtful(told: Suggestion) -> Suggestion:
    """The same, no surer than what was mended may be."""
    return replace(told, confidence=min(told.confidence, REPAIRED_CONFIDENCE_MAX))


def suggestion(page: Page, field: str, value: str, glyphs: Iterable[Glyph]) -> Suggestion:
    """A value with the place and the sureness of the characters that it came from."""
    used = tuple(glyphs)
    return Suggestion(
        field,
        value,
        mean((glyph.confidence, 1) for glyph in used),
        page.place(Box.around(glyph.box for glyph in used)),
    )
