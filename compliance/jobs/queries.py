"""How the jobs stand, for the people who look after them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.jobs.models import Job, JobRun
from compliance.jobs.registry import Periodic, jobs


@dataclass(frozen=True, slots=True)
class Standing:
    """When a job ran, runs next, and whether it is late."""

    periodic: Periodic
    took: timedelta | None
    next_at: datetime | None
    is_late: bool


def standing_of(row: Job, *, at: datetime) -> Standing:
    """From the row of a job that is declared."""
    periodic = jobs()[row.name]
    last = row.started_at or row.known_since
    took = row.ended_at - row.started_at if row.ended_at and row.started_at else None
    return Standing(
        periodic=periodic, took=took,
        next_at=last + periodic.every if periodic.every else None,
        is_late=periodic.every is not None and at - last > periodic.patience,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """Jobs that somebody should look after."""

    late: tuple[Periodic, ...]
    failing: tuple[Periodic, ...]


def trouble(*, at: datetime) -> Trouble:
    """Jobs that should have run and did not, and those whose last run did not end well.

    A run that is going on is not late. Nothing else tells that a scheduler or a worker is dead: it
    can no longer say so itself.
    """
    running = JobRun.objects.filter(state="running", leased_until__gte=at)
    going_on = set(running.values_list("job", flat=True))
    rows = list(Job.objects.filter(name__in=jobs()))
    idle = [standing_of(row, at=at) for row in rows if row.name not in going_on]
    return Trouble(
        late=tuple(one.periodic for one in idle if one.is_late),
        failing=tuple(jobs()[row.name] for row in rows if row.failures),
    )


def history_of(name: str) -> list[JobRun]:
    """The remembered runs of a job, newest first."""
    return list(JobRun.objects.filter(job=name).select_related("asked_by").order_by("-pk"))
