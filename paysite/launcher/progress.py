"""One line per step on the terminal, and what a person reads when a step fails."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

TITLE_WIDTH: Final = 26
TAIL_LINES: Final = 30


class LaunchFailed(Exception):
    """A step failed. Says what, what to do about it, and which log tells more, from where on."""

    def __init__(
        self, what: str, *, advice: str = "", log: Path | None = None, since: int = 0
    ) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.log = log
        self.since = since


class StopAsked(BaseException):
    """Ctrl-C or a signal asked the launcher to end. Raised in the main thread, wherever it is."""


class Step:
    """A step under way; `note` adds a word about how it went."""

    def __init__(self) -> None:
        self.words = ""

    def note(self, words: str) -> None:
        """Shown behind the step's title when it has ended."""
        self.words = words


class Progress:
    """Writes numbered steps with the time each took."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.number = 0

    def say(self, line: str = "") -> None:
        """Write one line now."""
        self.out.write(line + "\n")
        self.out.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Frame one step: its title at once, its outcome and time when it ends."""
        self.number += 1
        self.out.write(f"[{self.number:2}] {title} {'.' * max(2, TITLE_WIDTH - len(title))} ")
        self.out.flush()
        begun = time.monotonic()
        step = Step()
        try:
            yield step
        except BaseException as error:
            outcome = "stopped" if isinstance(error, StopAsked) else "FAILED"
            self.say(f"{outcome} after {time.monotonic() - begun:.1f} s")
            raise
        self.say(f"{time.monotonic() - begun:5.1f} s  {step.words}".rstrip())

    def explain(self, failure: LaunchFailed) -> None:
        """Tell a person what failed, show the end of its log, and say what to do."""
        self.say()
        self.say(f"FAILED: {failure.what}")
        if failure.log is not None and failure.log.exists():
            self.say(f"The end of {failure.log}:")
            for line in tail(failure.log, since=failure.since):
                self.say(f"    {line}")
        if failure.advice:
            self.say(f"What to do: {failure.advice}")


def tail(log: Path, *, lines: int = TAIL_LINES, since: int = 0) -> list[str]:
    """The last lines that were written after a place in a log, whatever bytes are in it."""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - 200 * lines))
        return file.read().decode(errors="replace").splitlines()[-lines:]
