"""Reads: how subjects stand with the lists, and which hits wait for a person."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from merchants.screening.matching import Strength
from merchants.screening.models import ListVersion, ScreeningCheck, ScreeningHit
from merchants.screening.states import HitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a subject stands with the lists in use."""

    kind: str
    reference: str
    strength: Strength
    """The strongest of its hits, without those that were dismissed. A confirmed one blocks."""
    open_hits: tuple[str, ...]
    confirmed_hits: tuple[str, ...]
    dismissed_hits: tuple[str, ...]
    """A person found that these are somebody else."""
    compared_with: tuple[str, ...]
    """Lists in use, as code and version, that it was compared with."""
    not_compared_with: tuple[str, ...]
    """Lists in use that it was not yet compared with."""

    @property
    def is_clear(self) -> bool:
        """Compared with every list in use, and nobody needs to look. Without lists: never."""
        was_compared = bool(self.compared_with) and not self.not_compared_with
        return was_compared and not self.open_hits and not self.confirmed_hits


def outcomes_of(subjects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Outcome]:
    """How each subject (kind and reference) stands now."""
    asked = list(subjects)
    versions = list(ListVersion.objects.filter(is_active=True).select_related("list"))
    checks = list(current_checks(asked))
    hits = list(
        ScreeningHit.objects.filter(screening__in=checks)
        .defer("name_sealed")
        .order_by("pk")
    )  # fmt: skip
    return {subject: _outcome(subject, versions, checks, hits) for subject in asked}


def current_checks(subjects: Iterable[tuple[str, str]]) -> Iterator[ScreeningCheck]:
    """The checks that count for these subjects, one for each list."""
    asked = set(subjects)
    checks = ScreeningCheck.objects.filter(
        subject_kind__in={kind for kind, _ref in asked},
        subject_ref__in={ref for _kind, ref in asked},
        is_current=True,
    )
    return (check for check in checks if (check.subject_kind, check.subject_ref) in asked)


def outcome_of(*, kind: str, reference: str) -> Outcome:
    """How one subject stands now."""
    return outcomes_of([(kind, reference)])[kind, reference]


def _outcome(
    subject: tuple[str, str],
    versions: Collection[ListVersion],
    checks: Collection[ScreeningCheck],
    hits: Collection[ScreeningHit],
) -> Outcome:
    mine = {c.pk: c for c in checks if (c.subject_kind, c.subject_ref) == subject}
    found = [h for h in hits if h.screening_id in mine]
    compared = {check.version_id for check in mine.values()}
    strengths = [
        Strength.BLOCK if hit.state == HitState.CONFIRMED else Strength(hit.strength)
        for hit in found
        if hit.state != HitState.DISMISSED
    ]
    return Outcome(
        kind=subject[0],
        reference=subject[1],
        strength=max(strengths, key=lambda one: one.rank, default=Strength.NONE),
        open_hits=tuple(h.public_id for h in found if h.state == HitState.OPEN),
        confirmed_hits=tuple(h.public_id for h in found if h.state == HitState.CONFIRMED),
        dismissed_hits=tuple(h.public_id for h in found if h.state == HitState.DISMISSED),
        compared_with=tuple(f"{v.list.code} {v.number}" for v in versions if v.pk in compared),
        not_compared_with=tuple(
            f"{v.list.code} {v.number}" for v in versions if v.pk not in compared
        ),
    )


def open_hits() -> QuerySet[ScreeningHit]:
    """What waits for a person, the longest wait first; only of checks that still count."""
    return (
        ScreeningHit.objects.filter(state=HitState.OPEN, screening__is_current=True)
        .select_related("screening__version__list", "listed")
        .order_by("asked_at", "pk")
    )


def hits_of(*, kind: str, reference: str) -> QuerySet[ScreeningHit]:
    """All hits of a subject, those of older checks too, the newest first."""
    return (
        ScreeningHit.objects.filter(
            screening__subject_kind=kind, screening__subject_ref=reference
        )
        .select_related("screening__version__list", "listed", "decided_by")
        .order_by("-pk")
    )  # fmt: skip
