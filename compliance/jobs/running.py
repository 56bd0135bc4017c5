"""One run of a job: written down before it begins and when it ends, whatever happens between."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from compliance.jobs.models import Job, JobRun
from compliance.jobs.states import RUN_MOVES, RunState

KEPT: Final = 50
"""Runs of a job that are remembered: a job that fails every second fills no table."""


def run(name: str, work: Callable[[], int], *, lease: timedelta) -> int:
    """Run a job once and say how many rows it worked on. A fault is written down and goes on.

    Called by a worker. Other runs of the job may be going on: the rows that it works on have leases
    of their own.
    """
    here = begin(name, lease=lease, at=timezone.now())
    try:
        done = int(work())
    except Exception as error:
        with suppress(DatabaseError):  # A lost database is told by the fault itself.
            end(here, RunState.FAILED, fault=fault_of(error), at=timezone.now())
        raise
    end(here, RunState.DONE, done=done, at=timezone.now())
    return done


@transaction.atomic
def begin(name: str, *, lease: timedelta, at: datetime) -> JobRun:
    """Write down that a run begins: the one that somebody asked for, if there is one.

    Runs whose lease is over are found to have broken off.
    """
    runs = JobRun.objects.filter(job=name)
    lost = runs.filter(state=RunState.RUNNING, leased_until__lt=at)
    for one in lost.select_for_update(skip_locked=True).order_by("pk"):
        end(one, RunState.BROKE_OFF, at=at)
    asked = (
        runs.filter(state=RunState.ASKED).select_for_update(skip_locked=True).first()
    ) or JobRun(job=name)
    asked.state, asked.started_at, asked.leased_until = RunState.RUNNING, at, at + lease
    asked.save()
    return asked


@transaction.atomic
def end(here: JobRun, state: RunState, *, at: datetime, done: int = 0, fault: str = "") -> None:
    """Write down how a run ended. What went well and nobody asked for is not worth a row."""
    known = JobRun.objects.select_for_update().filter(pk=here.pk).first()
    if known is None or state not in RUN_MOVES[RunState(known.state)]:
        return
    if state == RunState.DONE and known.asked_by_id is None:
        known.delete()
    else:
        known.state, known.ended_at, known.done, known.fault = state, at, done, fault
        known.save()
        _forget_all_but_the_latest(known.job)
    Job.objects.filter(name=here.job).update(
        started_at=here.started_at, ended_at=at, outcome=state, done=done, fault=fault,
        failures=0 if state == RunState.DONE else F("failures") + 1,
    )  # fmt: skip


def fault_of(error: BaseException) -> str:
    """The kind of an error and the line of ours that it passed last. Its message may hold secrets
    or personal data, and is in the log, which hides them.
    """
    places = traceback.extract_tb(error.__traceback__)
    last = f"{places[-1].name}:{places[-1].lineno}" if places else ""
    return f"{type(error).__name__} {last}"[:200].strip()


def _forget_all_but_the_latest(name: str) -> None:
    ended = JobRun.objects.filter(job=name, ended_at__isnull=False).order_by("-pk")
    for oldest in ended.values_list("pk", flat=True)[KEPT : KEPT + 1]:
        JobRun.objects.filter(job=name, ended_at__isnull=False, pk__lte=oldest).delete()
