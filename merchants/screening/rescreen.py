"""Screens everybody again: when a list or the algorithm changes, and each day."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from merchants.screening.check import screen
from merchants.screening.matching import ALGORITHM
from merchants.screening.models import ListVersion, Rescreening
from merchants.screening.queries import outcomes_of
from merchants.screening.subjects import hold_dependants, sources, tell_dependants

STEP_SUBJECTS: Final = 100
STEPS_MAX: Final = 50
"""Of one run of the task; the next run goes on."""
EVERY: Final = timedelta(days=1)


def due_for_screening(*, at: datetime) -> list[str]:
    """The sources with subjects to be screened: a walk is not finished, or one is to begin.

    One begins when the lists in use or the algorithm are others than the last walk covered, and a
    day after it began. Without any list there is nothing to compare with.
    """
    covering = _covering()
    if not covering:
        return []
    newest = {
        walk.source: walk
        for walk in Rescreening.objects.order_by("source", "-pk").distinct("source")
    }
    return [
        source
        for source in sources()
        if source not in newest or _is_due(newest[source], covering, at)
    ]


def go_on_screening(*, at: datetime) -> int:
    """Take steps through all sources that are due; how many subjects were screened.

    Each step is a transaction of its own. Safe to run twice at once: a source that somebody else
    walks through is passed over.
    """
    screened = steps = 0
    for source in due_for_screening(at=at):
        is_more = True
        while is_more and steps < STEPS_MAX:
            count, is_more = _step(source, at=at)
            screened += count
            steps += 1
    return screened


def _is_due(walk: Rescreening, covering: str, at: datetime) -> bool:
    return (
        walk.finished_at is None or walk.covering != covering or walk.begun_at <= at - EVERY
    )  # fmt: skip


def _covering() -> str:
    """What a walk compares with, in short; nothing when no list is in use."""
    active = ListVersion.objects.filter(is_active=True).order_by("pk")
    versions = [str(key) for key in active.values_list("pk", flat=True)]
    if not versions:
        return ""
    return hashlib.sha256(" ".join([ALGORITHM, *versions]).encode()).hexdigest()


@transaction.atomic
def _step(source: str, *, at: datetime) -> tuple[int, bool]:
    """Screen the next subjects of a source; how many, and whether there are more for us."""
    walk = _walk(source, at)
    if walk is None:
        return 0, False
    covering = _covering()
    if walk.covering != covering:  # Those before the cursor have not met the new version.
        walk.covering, walk.cursor, walk.screened, walk.begun_at = covering, "", 0, at
    subjects = sources()[source](walk.cursor, STEP_SUBJECTS)
    keys = [subject.key for subject in subjects]
    hold_dependants(keys)
    before = outcomes_of(keys)
    after = screen(subjects, actor=SYSTEM, at=at)
    changed = [key for key, one in zip(keys, after, strict=True) if one != before[key]]
    tell_dependants(changed, actor=SYSTEM, at=at)
    walk.screened += len(subjects)
    if subjects:
        walk.cursor = subjects[-1].reference
    if len(subjects) < STEP_SUBJECTS:
        walk.finished_at = at
        record(
            SYSTEM, "screening.all_checked", subject=("screening_source", source),
            facts={"screened": walk.screened, "covering": covering}, at=at,
        )  # fmt: skip
    walk.save()
    return len(subjects), walk.finished_at is None


def _walk(source: str, at: datetime) -> Rescreening | None:
    """The source's walk under a lock; a new one when none is under way. None: somebody has it."""
    under_way = Rescreening.objects.filter(source=source, finished_at__isnull=True)
    if walk := under_way.select_for_update(skip_locked=True).first():
        return walk
    if under_way.exists():
        return None
    Rescreening.objects.bulk_create(
        [Rescreening(source=source, covering=_covering(), begun_at=at)], ignore_conflicts=True
    )
    return under_way.select_for_update(skip_locked=True).first()
