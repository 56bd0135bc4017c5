"""Periodic jobs: what is remembered of their runs, who is late, and running one now."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.apps import apps
from django.apps.registry import Apps
from django.core.management.sql import emit_post_migrate_signal
from django.db import IntegrityError, transaction
from django.db.models.signals import post_migrate
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM
from compliance.jobs import running
from compliance.jobs.asking import ask_to_run
from compliance.jobs.errors import JobRefused
from compliance.jobs.models import Job, JobRun
from compliance.jobs.queries import standing_of, trouble
from compliance.jobs.registry import Periodic, jobs
from compliance.jobs.states import RUN_MOVES, RunState
from compliance.models import AuditEntry
from compliance.tasks import expire_requests
from paysite.celery import app
from paysite.timetable import EVERY
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NAME = "compliance.expire_requests"
LEASE = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def at_noon():
    Job.objects.update(known_since=NOON)
    with time_machine.travel(NOON, tick=False):
        yield


def row() -> Job:
    return Job.objects.get(name=NAME)


def run(work, *, at: datetime = NOON) -> int:
    with time_machine.travel(at, tick=False):
        return running.run(NAME, work, lease=LEASE)


def stumble() -> int:
    raise RuntimeError("password=tea")


def test_every_declared_job_is_on_the_timetable_and_has_its_row():
    assert set(jobs()) == set(EVERY) == set(Job.objects.values_list("name", flat=True))
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == set(jobs())
    assert set(jobs()) <= set(app.tasks)


def test_a_flush_brings_the_jobs_back_and_a_database_of_before_them_is_left_alone():
    """Migrated back to before there were jobs, the table is gone: nothing may be written there."""
    Job.objects.filter(name=NAME).delete()
    told = {"app_config": apps.get_app_config("compliance"), "verbosity": 0, "interactive": False}

    post_migrate.send(sender=told["app_config"], using="default", apps=Apps(), **told)
    assert not Job.objects.filter(name=NAME).exists()
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert Job.objects.filter(name=NAME).exists()


def test_a_good_run_leaves_its_outcome_and_no_row_of_its_own():
    assert run(lambda: 7) == 7
    assert (row().outcome, row().done, row().failures) == ("done", 7, 0)
    assert not JobRun.objects.exists()


def test_the_task_that_celery_runs_writes_its_run_down():
    assert expire_requests() == 0
    assert row().started_at == NOON


def test_a_fault_is_remembered_by_kind_and_place_and_goes_on():
    for _ in range(2):
        with pytest.raises(RuntimeError):
            run(stumble)
    told = row()
    assert (told.outcome, told.failures) == ("failed", 2)
    assert told.fault.startswith("RuntimeError stumble:")
    assert "tea" not in told.fault
    assert [one.name for one in trouble(at=NOON).failing] == [NAME]
    run(lambda: 0)
    assert (row().failures, trouble(at=NOON).failing) == (0, ())


def test_a_job_that_always_fails_fills_no_table():
    for _ in range(running.KEPT + 5):
        with pytest.raises(RuntimeError):
            run(stumble)
    assert JobRun.objects.filter(job=NAME).count() == running.KEPT


def test_a_run_whose_worker_was_killed_is_found_to_have_broken_off():
    lost = running.begin(NAME, lease=LEASE, at=NOON)
    run(lambda: 0, at=NOON + LEASE)
    assert JobRun.objects.get().state == RunState.RUNNING
    run(lambda: 0, at=NOON + LEASE + timedelta(seconds=1))
    assert JobRun.objects.get().state == RunState.BROKE_OFF
    # It was only slow: it says how it went after all.
    running.end(lost, RunState.FAILED, fault="Late", at=NOON + 2 * LEASE)
    assert JobRun.objects.get().state == RunState.FAILED


def test_what_has_ended_does_not_end_again():
    here = running.begin(NAME, lease=LEASE, at=NOON)
    running.end(here, RunState.FAILED, fault="First", at=NOON)
    running.end(here, RunState.DONE, done=3, at=NOON)
    assert (JobRun.objects.get().fault, row().outcome) == ("First", "failed")


def test_a_job_that_does_not_run_is_late_and_its_run_is_not():
    patience = jobs()[NAME].patience
    run(lambda: 0)
    others = {one.name for one in trouble(at=NOON + patience).late}
    assert NAME not in others
    assert NAME in {one.name for one in trouble(at=NOON + patience + timedelta(seconds=1)).late}
    long_one = running.begin(NAME, lease=timedelta(hours=1), at=NOON)
    assert NAME not in {one.name for one in trouble(at=NOON + timedelta(minutes=30)).late}
    assert NAME in {one.name for one in trouble(at=NOON + timedelta(hours=2)).late}
    assert long_one.state == RunState.RUNNING


@given(seconds=st.floats(0.1, 10**6), gap=st.integers(0, 10**7))
def test_late_means_three_turns_missed_and_at_least_a_minute(seconds, gap):
    every = timedelta(seconds=seconds)
    periodic = Periodic("x", "x", every)  # type: ignore[arg-type]
    is_late = timedelta(seconds=gap) > periodic.patience
    assert is_late == (gap > 60 and timedelta(seconds=gap) > 3 * every)


def test_a_person_has_it_run_and_the_next_wake_takes_it_up():
    wen = hire("wen", roles=["operator"], is_staff=True).user
    asked = ask_to_run(job=NAME, by=wen, actor=SYSTEM, at=NOON)
    assert asked.state == RunState.ASKED
    with pytest.raises(JobRefused, match="already_asked"):
        ask_to_run(job=NAME, by=wen, actor=SYSTEM, at=NOON)
    run(lambda: 4)
    asked.refresh_from_db()
    assert (asked.state, asked.done, asked.asked_by) == (RunState.DONE, 4, wen)
    assert AuditEntry.objects.filter(action="job.asked", subject_id=NAME).count() == 1
    ask_to_run(job=NAME, by=wen, actor=SYSTEM, at=NOON)


@pytest.mark.parametrize(
    ("role", "name", "code"),
    [
        ("auditor", NAME, "ability_missing"),
        ("operator", "nobody.knows", "job_unknown"),
    ],
)
def test_who_may_not_or_what_is_not_a_job_is_refused(role, name, code):
    with pytest.raises(JobRefused, match=code):
        ask_to_run(job=name, by=hire("wen", roles=[role]).user, actor=SYSTEM, at=NOON)
    assert not JobRun.objects.exists()


def test_the_database_keeps_one_wish_for_each_job():
    wen = hire("wen", roles=["operator"], is_staff=True).user
    wish = {"job": NAME, "state": RunState.ASKED, "asked_by": wen, "asked_at": NOON}
    JobRun.objects.create(**wish)
    with pytest.raises(IntegrityError, match="job_run_asked_for_once"), transaction.atomic():
        JobRun.objects.create(**wish)


def test_moves_of_a_run_end():
    assert set(RUN_MOVES) == set(RunState)
    assert RUN_MOVES[RunState.DONE] == RUN_MOVES[RunState.FAILED] == frozenset()


def test_the_page_tells_and_runs(client):
    wen = hire("wen", roles=["operator"], is_staff=True)
    wen.sign_in(client)
    with pytest.raises(RuntimeError):
        run(stumble)
    listed = client.get("/admin/compliance/job/")
    assert listed.status_code == 200
    assert "RuntimeError" not in listed.content.decode()
    page = f"/admin/compliance/job/{row().pk}/change/"
    assert "RuntimeError stumble:" in client.get(page).content.decode()
    answer = client.post(f"/admin/compliance/job/{row().pk}/run/", follow=True)
    assert "已提出" in answer.content.decode()
    assert JobRun.objects.filter(state=RunState.ASKED, asked_by=wen.user).count() == 1


def test_the_desk_names_jobs_that_are_late(client):
    officer = hire("lan", roles=["compliance_officer"], is_staff=True)
    with time_machine.travel(NOON + timedelta(days=4), tick=False):
        late = trouble(at=NOON + timedelta(days=4)).late
    assert {one.name for one in late} == set(jobs())
    assert standing_of(row(), at=NOON).next_at == NOON + timedelta(seconds=EVERY[NAME])
    officer.sign_in(client)
    Job.objects.update(known_since=datetime(2026, 1, 1, tzinfo=UTC))
    page = client.get("/compliance/")
    assert str(jobs()[NAME].title) in page.content.decode()
