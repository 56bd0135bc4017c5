"""Names the moments between two steps at which a process may die, so that tests can make it die
there.

A step is a point where one thing is durable and the next is not yet done. In production this is one
comparison with an empty string.
"""

import os
import signal
from typing import Final

CRASH_AT: Final = os.environ.get("CRASH_AT", "")
"""Set by the fault tests only, in a process of their own."""

STEPS: Final = frozenset({"audit.linked", "audit.blocked", "audit.sealed", "audit.noted"})
REPORT_STEPS: Final = frozenset({"report.collected", "report.rendered", "report.kept"})
"""Those of this storey; `payments.steps` has its own."""


def step(name: str) -> None:
    """Pass a named moment. A fault test may have asked for a kill -9 here."""
    if CRASH_AT and name == CRASH_AT:
        os.kill(os.getpid(), signal.SIGKILL)
