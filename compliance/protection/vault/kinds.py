"""Which files are taken at all, told by their first bytes. Nothing here knows Django."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

NAME_CHARACTERS_MAX: Final = 120


class FileRefused(Exception):
    """The file is not taken. `code` is stable; pages have a sentence for each."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken."""

    media_type: str
    extensions: frozenset[str]
    begins: bytes
    bytes_max: int


_MEGABYTE: Final = 1024 * 1024
KINDS: Final = (
    Kind("image/jpeg", frozenset({".jpg", ".jpeg"}), b"\xff\xd8\xff", 5 * _MEGABYTE),
    Kind("image/png", frozenset({".png"}), b"\x89PNG\r\n\x1a\n", 5 * _MEGABYTE),
    Kind("application/pdf", frozenset({".pdf"}), b"%PDF-", 10 * _MEGABYTE),
)
BYTES_MAX: Final = max(kind.bytes_max for kind in KINDS)


def kind_of(*, name: str, media_type: str, content: bytes) -> Kind:
    """The kind that the name, the sender's word and the content agree upon.

    Raises FileRefused: empty, kind_unknown, kind_differs, too_large.
    """
    if not content:
        raise FileRefused("empty")
    extension = PurePosixPath(name).suffix.casefold()
    kind = next((one for one in KINDS if extension in one.extensions), None)
    if kind is None:
        raise FileRefused("kind_unknown")
    told = media_type.partition(";")[0].strip().casefold()
    told = "image/jpeg" if told == "image/jpg" else told  # Some browsers say so.
    if not content.startswith(kind.begins) or told not in {kind.media_type, ""}:
        raise FileRefused("kind_differs")
    if len(content) > kind.bytes_max:
        raise FileRefused("too_large")
    return kind


def clean_name(name: str) -> str:
    """A file's name as it can be shown: no path, no control or direction signs, one extension."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    shown = shown.strip().rstrip(" .")
    stem, dot, extension = shown.rpartition(".")
    if not dot:
        stem, extension = shown, ""
    stem = re.sub(r"[^\w\s()（）\-\u4e00-\u9fff]+", "_", stem).strip("_ ") or "file"
    return stem[:NAME_CHARACTERS_MAX] + (f".{extension[:5].casefold()}" if dot else "")
