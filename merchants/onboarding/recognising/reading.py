"""What a recogniser is, what it saw on a page, and what it proposes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from merchants.errors import MerchantRefusal

THOUSAND: Final = 1000
REPAIRED_CONFIDENCE_MAX: Final = 50
"""What was mended, or contradicts something else on the page, is no surer than this."""


class Kind(StrEnum):
    """What a picture is said to show."""

    LICENCE = "licence"
    IDENTITY_FRONT = "identity_front"
    """With the portrait."""
    IDENTITY_BACK = "identity_back"
    """With the emblem."""


class RecognitionRefused(MerchantRefusal):
    """No suggestions. `code` says why; whoever applies types everything, as without a recogniser.

    recogniser_off, recogniser_missing, recogniser_language_missing: not on this installation.
    not_a_picture, picture_too_large: this file. recogniser_slow, recogniser_failed,
    recogniser_garbage: the program took too long, died, or said what nobody understands.
    """

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code  # type: ignore[misc]
        self.args = (code,)


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a page. In pixels, or for people in thousandths of its width and height."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        """From top to bottom."""
        return self.bottom - self.top

    @classmethod
    def around(cls, boxes: Iterable["Box"]) -> "Box":
        """The smallest one that holds all of them; there must be one."""
        held = tuple(boxes)
        return cls(
            min(box.left for box in held), min(box.top for box in held),
            max(box.right for box in held), max(box.bottom for box in held),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """Characters that were read together, with 0 to 100 for how surely."""

    text: str
    confidence: int
    box: Box


@dataclass(frozen=True, slots=True)
class Line:
    """Words beside each other, from left to right."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with a space between them."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> int:
        """That of its words, each counting by its length."""
        return mean((word.confidence, len(word.text)) for word in self.words)


@dataclass(frozen=True, slots=True)
class Page:
    """A picture as it was read; boxes in it are pixels."""

    width: int
    height: int
    lines: tuple[Line, ...]

    def place(self, box: Box) -> Box:
        """The same place in thousandths, which fits the picture at any size."""
        return Box(
            *(
                max(0, min(THOUSAND, pixels * THOUSAND // max(1, whole)))
                for pixels, whole in (
                    (box.left, self.width), (box.top, self.height),
                    (box.right, self.width), (box.bottom, self.height),
                )
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One field as the document seems to say it, written as a form takes it (days as ISO 8601)."""

    field: str
    value: str
    confidence: int
    box: Box
    """In thousandths."""


@dataclass(frozen=True, slots=True)
class Read:
    """Everything that a document seems to say. A field that could not be read is not there."""

    kind: Kind
    suggestions: tuple[Suggestion, ...]
    lines: tuple[Line, ...]
    """All that was read, for whoever looks into a wrong suggestion. Personal data: never log it."""

    @property
    def values(self) -> dict[str, str]:
        """Field and value."""
        return {suggestion.field: suggestion.value for suggestion in self.suggestions}


class Recogniser(Protocol):
    """Something that reads pictures: a program of this machine, or a service."""

    def read(self, picture: bytes, *, kind: Kind, on: date) -> Read:
        """Read a PNG or JPEG that the vault has drawn anew. `on` is today, for ages.

        Takes seconds: never called inside a transaction. Raises RecognitionRefused.
        """
        ...


def mean(weighted: Iterable[tuple[int, int]]) -> int:
    """Of confidences with their weights; 0 of nothing."""
    pairs = tuple(weighted)
    weight = sum(of for _, of in pairs)
    return sum(value * of for value, of in pairs) // weight if weight else 0
