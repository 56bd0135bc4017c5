"""Has a file inspected in a process of its own: see `inspection`."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compliance.protection.vault.kinds import FileRefused

PROGRAM: Final = Path(__file__).with_name("inspection.py")
SECONDS_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Inspected:
    """What may be kept of a file, and what is known of it (pages, or width and height)."""

    content: bytes
    facts: Mapping[str, int]


def inspect(content: bytes, *, media_type: str) -> Inspected:
    """Look into a file. Raises FileRefused with the code of what is wrong with it."""
    try:
        done = subprocess.run(  # noqa: S603  our own program, and a media type of our table
            [sys.executable, "-I", str(PROGRAM), media_type],
            input=content, capture_output=True, check=False, timeout=SECONDS_MAX,
            env={"PATH": "", "LANG": "C.UTF-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FileRefused("too_complex") from None
    head, _, kept = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:
        raise FileRefused("too_complex")  # It took more memory or time than any honest file.
    told = json.loads(head)
    if "refused" in told:
        raise FileRefused(told["refused"])
    return Inspected(kept, told["facts"])
