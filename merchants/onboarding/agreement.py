"""The agreement between the platform and its merchants: versions that never change."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

CURRENT: Final = "2026-11"
LANGUAGES: Final = ("zh-hans", "en")
_FOLDER: Final = Path(__file__).parent / "agreements"


@cache
def agreement_text(version: str, language: str) -> str:
    """The text of a version; the Chinese one binds, and stands for languages without their own."""
    spelled = language if language in LANGUAGES else LANGUAGES[0]
    return (_FOLDER / f"{version}.{spelled}.txt").read_text(encoding="utf-8")


def digest_of(text: str) -> str:
    """SHA-256 of the text as it was shown, for the record of a consent."""
    return hashlib.sha256(text.encode()).hexdigest()
