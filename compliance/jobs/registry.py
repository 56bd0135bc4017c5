"""Which periodic jobs there are. Rooms declare theirs; the wiring says how often each runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Final

from celery import Task, shared_task

from compliance.jobs.models import Job
from compliance.jobs.running import run

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LATE_RUNS: Final = 3
LATE_AT_LEAST: Final = timedelta(minutes=1)
"""A job that should run every second is not late for a restart of its worker."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """One job. `every` is None for one that nobody put on the timetable: it never runs."""

    name: str
    title: "_StrPromise"
    every: timedelta | None = None

    @property
    def patience(self) -> timedelta:
        """How long after its last run it counts as late."""
        return max(LATE_RUNS * self.every, LATE_AT_LEAST) if self.every else timedelta.max


_JOBS: Final[dict[str, Periodic]] = {}


def job(
    name: str, title: "_StrPromise", *, time_limit: int
) -> Callable[[Callable[[], int]], "Task[[], int]"]:
    """Declare periodic work. It finds due rows itself, is safe to run twice and at once, and
    returns how many it worked on.

    `time_limit` is in seconds: Celery kills what takes longer, and so long a run's lease is.
    """

    def declare(work: Callable[[], int]) -> "Task[[], int]":
        _JOBS[name] = Periodic(name, title)

        @shared_task(name=name, time_limit=time_limit)
        @wraps(work)
        def task() -> int:
            return run(name, work, lease=timedelta(seconds=time_limit))

        return task

    return declare


def put_on_timetable(every: Mapping[str, float]) -> None:
    """Say how often each job runs, in seconds. Called once, when all rooms have declared theirs."""
    for name, seconds in every.items():
        _JOBS[name] = Periodic(name, _JOBS[name].title, timedelta(seconds=seconds))


def note_jobs() -> None:
    """Give each job that has none its row. Called after each migration."""
    Job.objects.bulk_create([Job(name=name) for name in _JOBS], ignore_conflicts=True)


def jobs() -> Mapping[str, Periodic]:
    """All of them by name."""
    return _JOBS
