"""Tesseract as a recogniser: an optional program, with its data for simplified Chinese.

What it is sent came from a stranger: it works in a process of its own (see `enclosed`), and of its
answer only what has the right shape is believed.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from merchants.onboarding.recognising import enclosed
from merchants.onboarding.recognising.identity_card import read_back, read_front
from merchants.onboarding.recognising.licence import read_licence
from merchants.onboarding.recognising.reading import (
    Box,
    Kind,
    Line,
    Page,
    Read,
    RecognitionRefused,
    Word,
)

PROGRAM: Final = "tesseract"
LANGUAGE: Final = "chi_sim"
SECONDS_MAX: Final = 30.0
LIST_SECONDS_MAX: Final = 10.0
PICTURE_BYTES_MAX: Final = 12 * 1024 * 1024
ROWS_MAX: Final = 10_000
WORD_CHARACTERS_MAX: Final = 200
ARGUMENTS: Final = ("stdin", "stdout", "-l", LANGUAGE, "--psm", "6", "tsv")
"""6: one even block of text. It keeps the two columns of a licence on their lines."""
_COLUMNS: Final = 12
_PAGE_LEVEL: Final = "1"
_WORD_LEVEL: Final = "5"
_SURE: Final = 100
_SIDE_MAX: Final = 100_000
_PARSERS: Final[Mapping[Kind, Callable[[Page, date], Read]]] = {
    Kind.LICENCE: read_licence,
    Kind.IDENTITY_FRONT: read_front,
    Kind.IDENTITY_BACK: read_back,
}


class Tesseract:
    """Reads with the program at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self, picture: bytes, *, kind: Kind, on: date) -> Read:
        """See Recogniser."""
        return _PARSERS[kind](self.look(picture), on)

    def look(self, picture: bytes) -> Page:
        """Words and their places. Raises RecognitionRefused."""
        if len(picture) > PICTURE_BYTES_MAX:
            raise RecognitionRefused("picture_too_large")
        return page_of(_answer(picture, [self.path, *ARGUMENTS]))


def find_program() -> str | None:
    """The whole path of Tesseract, or None: not installed, or not on Linux."""
    return shutil.which(PROGRAM) if sys.platform == "linux" else None


def has_language(path: str) -> bool:
    """Whether the program at this path has its data for simplified Chinese."""
    try:
        done = subprocess.run(  # noqa: S603  our own words
            [path, "--list-langs"], capture_output=True, check=False, timeout=LIST_SECONDS_MAX,
            env=_ENVIRONMENT,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return LANGUAGE.encode() in done.stdout.split()


_CODES: Final[Mapping[int, str]] = {
    enclosed.NO_PICTURE: "not_a_picture",
    enclosed.TOO_LARGE: "picture_too_large",
    -signal.SIGXCPU: "recogniser_slow",
}
"""How the process ends, and what that is called; everything else is a failure."""
_ENVIRONMENT: Final = {"PATH": "", "LANG": "C.UTF-8", "OMP_THREAD_LIMIT": "1"}


def _answer(picture: bytes, command: list[str]) -> bytes:
    """What the program wrote. Files in memory stand for pipes: who never reads, or writes without
    end, blocks nobody.
    """
    with (
        os.fdopen(os.memfd_create("picture"), "w+b") as sent,
        os.fdopen(os.memfd_create("answer"), "w+b") as told,
    ):
        sent.write(picture)
        sent.flush()
        sent.seek(0)
        code = _run(
            [sys.executable, "-I", str(Path(enclosed.__file__)), *command],
            sent.fileno(), told.fileno(),
        )  # fmt: skip
        told.seek(0)
        answer = told.read(enclosed.OUTPUT_MAX)
    if len(answer) == enclosed.OUTPUT_MAX:
        raise RecognitionRefused("recogniser_garbage")
    if code != 0:
        raise RecognitionRefused(_CODES.get(code, "recogniser_failed"))
    return answer


def _run(command: list[str], sent: int, told: int) -> int:
    """How it ended. Raises RecognitionRefused when it did not in time; nothing of it is left."""
    process = subprocess.Popen(  # noqa: S603  our own program and words
        command, stdin=sent, stdout=told, stderr=subprocess.DEVNULL, env=_ENVIRONMENT,
        start_new_session=True,
    )  # fmt: skip
    try:
        return process.wait(SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise RecognitionRefused("recogniser_slow") from None
    finally:
        if process.returncode is None:
            # The whole session, and before its leader is waited for: until then the number is its.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def page_of(answer: bytes) -> Page:
    """Tesseract's table of words, a row each, as a page.

    Raises RecognitionRefused (recogniser_garbage) for whatever is no such table.
    """
    try:
        return _table(answer.decode("utf-8"))
    except (ValueError, OverflowError):  # Also what is no UTF-8.
        raise RecognitionRefused("recogniser_garbage") from None


def _table(answer: str) -> Page:
    """Raises ValueError."""
    head, *rows = answer.split("\n")
    cells = [row.split("\t") for row in rows if row]
    if (
        not head.startswith("level\t")
        or len(cells) > ROWS_MAX
        or any(len(row) != _COLUMNS for row in cells)
    ):
        raise ValueError
    width, height = next((row[8:10] for row in cells if row[0] == _PAGE_LEVEL), ("", ""))
    lines: dict[tuple[str, ...], list[Word]] = {}
    for row in cells:
        if row[0] == _WORD_LEVEL and row[11].strip():
            lines.setdefault(tuple(row[1:5]), []).append(_word(row))
    return Page(_side(width), _side(height), tuple(Line(tuple(words)) for words in lines.values()))


def _word(row: list[str]) -> Word:
    left, top, width, height = (_side(cell) for cell in row[6:10])
    confidence = round(float(row[10]))
    if not 0 <= confidence <= _SURE or len(row[11]) > WORD_CHARACTERS_MAX:
        raise ValueError
    text = "".join(character for character in row[11].strip() if character.isprintable())
    return Word(text, confidence, Box(left, top, left + width, top + height))


def _side(cell: str) -> int:
    pixels = int(cell)
    if not 0 <= pixels <= _SIDE_MAX:
        raise ValueError
    return pixels
