"""How a run of a job stands."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class RunState(TextChoices):
    """One run, from being asked for to its end."""

    ASKED = "asked", pgettext_lazy("job", "Asked for")
    """A person wants it; the next wake of the job takes it up."""
    RUNNING = "running", pgettext_lazy("job", "Running")
    DONE = "done", pgettext_lazy("job", "Done")
    FAILED = "failed", pgettext_lazy("job", "Failed")
    BROKE_OFF = "broke_off", pgettext_lazy("job", "Broke off")
    """Its process ended without a word, and its lease with it."""


RUN_MOVES: Final[Mapping[RunState, frozenset[RunState]]] = {
    RunState.ASKED: frozenset({RunState.RUNNING}),
    RunState.RUNNING: frozenset({RunState.DONE, RunState.FAILED, RunState.BROKE_OFF}),
    # Whoever was believed dead may only have been slow, and then says how it went.
    RunState.BROKE_OFF: frozenset({RunState.DONE, RunState.FAILED}),
    RunState.DONE: frozenset(),
    RunState.FAILED: frozenset(),
}
