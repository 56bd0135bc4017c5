"""Programs of this room that run in processes of their own, and how they are asked.

Libraries that draw and sign PDFs hold tens of megabytes and take a second to load. Web processes
and workers would carry them all day for a report a month, so they live in a process that is started
for one question, with bounded time and memory, and ends with its answer. Both sides speak in
frames: one line of JSON, and after it bytes whose lengths it names.
"""

import ctypes
import json
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

log: Final = logging.getLogger(__name__)

HOME: Final = Path(__file__).parents[2]
PR_SET_PDEATHSIG: Final = 1
TOLD_MAX: Final = 300

Head = Mapping[str, Any]
Parts = Sequence[bytes]


class ApartFailed(Exception):
    """The program gave no answer: it took too long or too much memory, broke, or was killed."""


def ask(
    program: str, head: Head, parts: Parts, *, seconds_max: float
) -> tuple[dict[str, Any], list[bytes]]:
    """Ask a program, named by its module, one question. What is secret goes in `head`: neither the
    command nor the environment, which others can see, holds any of it. Outside transactions.

    Raises ApartFailed. No process is left behind: one that takes too long is killed.
    """
    try:
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-E", "-s", "-m", program],
            input=framed(head, parts), capture_output=True, check=False, timeout=seconds_max,
            cwd=HOME, env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ApartFailed(f"{program} took longer than {seconds_max:.0f} seconds") from None
    if done.returncode != 0:
        log.error("%s: %s", program, done.stderr.decode(errors="replace")[-TOLD_MAX:])
        raise ApartFailed(f"{program} ended with {done.returncode}")
    try:
        return unframed(done.stdout)
    except ValueError:
        raise ApartFailed(f"{program} gave no answer") from None


def serve(
    answer: Callable[[Head, Parts], tuple[Head, Parts]], *, memory_max: int, cpu_seconds_max: int
) -> None:
    """What such a program does: bound itself, read the question, write the answer."""
    if sys.platform == "linux":
        # Whoever asked may be killed: nobody waits for the answer then.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    resource.setrlimit(resource.RLIMIT_AS, (memory_max, memory_max))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds_max, cpu_seconds_max))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    head, parts = unframed(sys.stdin.buffer.read())
    sys.stdout.buffer.write(framed(*answer(head, parts)))


def framed(head: Head, parts: Parts) -> bytes:
    """A question or an answer, as it travels."""
    line = json.dumps({"head": dict(head), "lengths": [len(part) for part in parts]})
    return b"".join((line.encode(), b"\n", *parts))


def unframed(frame: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The same, taken apart. Raises ValueError when something is missing or left over."""
    line, newline, rest = frame.partition(b"\n")
    told = json.loads(line)
    if not newline or sum(told["lengths"]) != len(rest):
        raise ValueError("the frame was cut off")
    parts, at = [], 0
    for length in told["lengths"]:
        parts.append(rest[at : at + length])
        at += length
    return told["head"], parts
