"""Having a job run now instead of when its time comes."""

from datetime import datetime

from celery import current_app
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.jobs.errors import JobRefused
from compliance.jobs.models import Job, JobRun
from compliance.jobs.registry import jobs
from compliance.jobs.states import RunState


@transaction.atomic
def ask_to_run(*, job: str, by: User, actor: Actor, at: datetime) -> JobRun:
    """Ask for a run, and wake a worker for it once this is committed.

    The row is what counts: a wake that is lost delays the run until the job's next turn. Raises
    JobRefused: ability_missing, job_unknown, already_asked.
    """
    if not may(by, Ability.JOBS_RUN):
        raise JobRefused("ability_missing")
    row = Job.objects.select_for_update().filter(name=job).first()
    if row is None or job not in jobs():
        raise JobRefused("job_unknown")
    if JobRun.objects.filter(job=job, state=RunState.ASKED).exists():
        raise JobRefused("already_asked")
    asked = JobRun.objects.create(job=job, state=RunState.ASKED, asked_by=by, asked_at=at)
    record(actor, "job.asked", subject=("job", job), at=at)
    transaction.on_commit(lambda: current_app.send_task(job), robust=True)
    return asked
