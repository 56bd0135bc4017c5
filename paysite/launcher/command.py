"""The launcher's command line: which verb, how signals end it, how failures are told."""

import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from paysite.launcher.processes import end_when_make_ends
from paysite.launcher.progress import LaunchFailed, Progress, StopAsked
from paysite.launcher.running import STOPPING, run
from paysite.launcher.testing import bench, check, test

VERBS: Final[dict[str, Callable[[], int]]] = {
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
}


def main(words: Sequence[str], verbs: Mapping[str, Callable[[], int]] = VERBS) -> int:
    """Carry out one verb. A stop that was asked for is a success of `run` only."""
    if len(words) != 1 or words[0] not in verbs:
        Progress().say(f"usage: python3 -m paysite.launcher {'|'.join(verbs)}")
        return 2
    for each in STOPPING:
        signal.signal(each, ask_to_stop)
    end_when_make_ends()
    try:
        return verbs[words[0]]()
    except LaunchFailed as failure:
        Progress().explain(failure)
        return 1
    except StopAsked:
        return 0 if words[0] == "run" else 130


def ask_to_stop(number: int, _: object) -> None:
    """Ends whatever the main thread is doing; what it started is ended on the way out."""
    raise StopAsked(signal.Signals(number).name)
