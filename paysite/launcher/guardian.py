"""Waits for the launcher to end, however it ends, and then ends what it started and what is left.

The kernel tells the launcher's children that it was killed; their own children it tells nothing.
"""

import os
import signal
import subprocess
import sys
from types import TracebackType
from typing import Final

from paysite.launcher.environment import MARK
from paysite.launcher.places import CHECKOUT
from paysite.launcher.processes import all_processes, mark_of, tell, wait_until

GRACE_SECONDS: Final = 4.0


class Guardian:
    """A process that holds the other end of a pipe; the end of the pipe is our end."""

    def __init__(self, mark: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "paysite.launcher.guardian", mark],
            cwd=CHECKOUT,
            env={name: value for name, value in os.environ.items() if name != MARK},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> "Guardian":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it sweep and wait until it has."""
        self.process.communicate()


def sweep(mark: str) -> None:
    """End what carries the mark: most ends by itself, the rest is killed."""

    def left() -> list[int]:
        return [pid for pid in all_processes() if mark_of(pid) == mark]

    if not wait_until(lambda: not left(), seconds=GRACE_SECONDS):
        for pid in left():
            tell(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    sweep(sys.argv[1])
