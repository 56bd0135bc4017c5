"""Compares subjects with every list in use, and keeps what was compared and what was found."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.database import prepared
from compliance.numbers import new_number
from compliance.protection.fields import keyed_digests
from merchants.screening.load import IDENTITY_PURPOSE
from merchants.screening.matching import (
    ALGORITHM,
    BLOCK_FROM,
    HOLD_FROM,
    LOG_FROM,
    Profile,
    Score,
    Strength,
    score,
)
from merchants.screening.models import ListedName, ListVersion, ScreeningCheck, ScreeningHit
from merchants.screening.normal import (
    Entity,
    birth_of,
    form_of,
    identity_key,
    identity_of,
    keys_of,
)
from merchants.screening.queries import Outcome, current_checks, outcomes_of
from merchants.screening.states import HitState
from merchants.screening.subjects import Subject

SUBJECTS_MAX: Final = 200
FACTS_PURPOSE: Final = "screening facts"

# In one order, so that two who screen the same subjects do not wait for each other.
_LOCK: Final = """
SELECT pg_advisory_xact_lock(one) FROM (SELECT unnest(%s::bigint[]) AS one ORDER BY 1) AS subjects
"""

# A version whose names lose their keys in the middle would look as if it named nobody.
_HOLD_VERSIONS: Final = "SELECT id FROM merchants_listversion WHERE is_active FOR SHARE"

# OFFSET 0 has each subject looked up by the index: the planner, who cannot guess how rare keys are,
# would rather compare everybody with everybody. Only names of versions in use have keys.
_SHARE_A_KEY: Final = """
SELECT subject.place, listed.id
  FROM unnest(%s::text[]) WITH ORDINALITY AS subject (keys, place)
  CROSS JOIN LATERAL (
       SELECT id FROM merchants_listedname WHERE keys && subject.keys::bigint[] OFFSET 0
       ) AS listed
 ORDER BY 1, 2
"""

Found = list[tuple[ListedName, Score]]


@dataclass(frozen=True, slots=True)
class _Known:
    """A subject as it is compared. Digests are under every key, the current one first."""

    subject: Subject
    profiles: tuple[Profile, ...]
    keys: frozenset[int]
    facts: tuple[bytes, ...]


@transaction.atomic
def screen(subjects: Sequence[Subject], *, actor: Actor, at: datetime) -> list[Outcome]:
    """Compare subjects with the lists in use; how each stands now, in the same order.

    The same facts are compared with the same version once: called again, it only answers. What a
    person decided about the same facts and the same entry of an older version stands. At most
    SUBJECTS_MAX, each once; more raise ValueError.
    """
    known = {subject.key: _known(subject) for subject in subjects}
    if len(known) < len(subjects) or len(subjects) > SUBJECTS_MAX:
        raise ValueError(f"screen at most {SUBJECTS_MAX} subjects at once, each of them once")
    if not known:
        return []
    _lock(known)
    in_use = [version for (version,) in prepared(_HOLD_VERSIONS)]
    versions = list(ListVersion.objects.filter(pk__in=in_use).select_related("list"))
    missing = _take_up(known, versions)
    made = _checks(known, missing, at)
    found = _compare(known, made)
    hits = _keep(known, found, at)
    for key in {check_key(check) for check in made}:
        mine = [check for check in made if check_key(check) == key]
        _tell(mine, [hit for hit in hits if check_key(hit.screening) == key], actor, at)
    answers = outcomes_of(known)
    return [answers[subject.key] for subject in subjects]


def check_key(check: ScreeningCheck) -> tuple[str, str]:
    """Which subject a check is about."""
    return check.subject_kind, check.subject_ref


def _known(subject: Subject) -> _Known:
    entity = subject.entity
    names = (subject.name, *subject.aliases)
    forms = tuple(form_of(name, entity) for name in names)
    identity = identity_of(subject.identity_number)
    born = subject.born or (birth_of(identity) if entity is Entity.PERSON else "")
    digests = keyed_digests(identity.encode(), purpose=IDENTITY_PURPOSE) if identity else [b""]
    keys = frozenset[int]().union(*(keys_of(form, entity) for form in forms))
    said = "\n".join((entity, *names, identity, born)).encode()
    return _Known(
        subject=subject,
        profiles=tuple(
            Profile(entity=entity, forms=forms, identity=digest, born=born) for digest in digests
        ),
        keys=keys | {identity_key(digest) for digest in digests if digest},
        facts=tuple(keyed_digests(said, purpose=FACTS_PURPOSE)),
    )


def _lock(known: Iterable[tuple[str, str]]) -> None:
    numbers = [
        int.from_bytes(
            hashlib.blake2b(f"screening {kind} {ref}".encode(), digest_size=8).digest(),
            signed=True,
        )
        for kind, ref in known
    ]
    prepared(_LOCK, [numbers])


def _take_up(
    known: dict[tuple[str, str], _Known], versions: Sequence[ListVersion]
) -> list[tuple[tuple[str, str], ListVersion]]:
    """Let the checks count that were made of the same; say which are still missing."""
    of_these = ScreeningCheck.objects.filter(
        subject_kind__in={kind for kind, _ref in known},
        subject_ref__in={ref for _kind, ref in known},
    )
    same = {
        (check_key(check), check.version_id): check
        for check in of_these.filter(version__in=versions, algorithm=ALGORITHM)
        if check_key(check) in known and bytes(check.facts_digest) in known[check_key(check)].facts
    }
    wanted = {check.pk for check in same.values()}
    over = [check.pk for check in current_checks(known) if check.pk not in wanted]
    ScreeningCheck.objects.filter(pk__in=over).update(is_current=False)
    ScreeningCheck.objects.filter(pk__in=wanted, is_current=False).update(is_current=True)
    return [
        (key, version)
        for key in known
        for version in versions
        if (key, version.pk) not in same
    ]  # fmt: skip


def _checks(
    known: dict[tuple[str, str], _Known],
    missing: Iterable[tuple[tuple[str, str], ListVersion]],
    at: datetime,
) -> list[ScreeningCheck]:
    return ScreeningCheck.objects.bulk_create(
        ScreeningCheck(
            public_id=new_number("scr_", at=at), subject_kind=kind, subject_ref=ref,
            facts_digest=known[kind, ref].facts[0], list=version.list, version=version,
            algorithm=ALGORITHM, block_from=BLOCK_FROM, hold_from=HOLD_FROM, log_from=LOG_FROM,
            at=at,
        )
        for (kind, ref), version in missing
    )  # fmt: skip


def _compare(
    known: dict[tuple[str, str], _Known], made: Sequence[ScreeningCheck]
) -> list[tuple[ScreeningCheck, Found]]:
    """The listed names that each new check finds alike."""
    candidates = _candidates([known[key] for key in {check_key(check) for check in made}])
    return [
        (check, _found(known[check_key(check)], candidates[check_key(check), check.version_id]))
        for check in made
    ]  # fmt: skip


def _candidates(
    asked: Sequence[_Known],
) -> dict[tuple[tuple[str, str], int], list[ListedName]]:
    """Those that share a key with a subject, by subject and version: two statements for all."""
    arrays = [f"{{{','.join(map(str, sorted(one.keys)))}}}" for one in asked]
    pairs = prepared(_SHARE_A_KEY, [arrays]) if asked else []
    names = ListedName.objects.in_bulk({name for _place, name in pairs})
    found: dict[tuple[tuple[str, str], int], list[ListedName]] = defaultdict(list)
    for place, name in pairs:
        listed = names[name]
        found[asked[place - 1].subject.key, listed.version_id].append(listed)
    return found


def _found(known: _Known, candidates: Sequence[ListedName]) -> Found:
    scored = ((name, _best(known, name)) for name in candidates)
    return [(name, best) for name, best in scored if best.strength is not Strength.NONE]


def _best(known: _Known, listed: ListedName) -> Score:
    entity = Entity(listed.kind)
    theirs = Profile(
        entity=entity,
        forms=tuple(form_of(name, entity) for name in (listed.name, *listed.aliases)),
        identity=bytes(listed.identity_digest or b""),
        born=listed.born,
    )
    return max((score(ours, theirs) for ours in known.profiles), key=lambda one: one.points)


def _keep(
    known: dict[tuple[str, str], _Known],
    found: Sequence[tuple[ScreeningCheck, Found]],
    at: datetime,
) -> list[ScreeningHit]:
    earlier = _earlier(known, [check for check, names in found if names])
    hits = []
    for check, names in found:
        name = known[check_key(check)].subject.name
        for listed, result in names:
            before = earlier.get((check_key(check), check.list_id, bytes(listed.digest)))
            hits.append(_hit(check, listed, result, name=name, before=before, at=at))
    return ScreeningHit.objects.bulk_create(hits)


def _hit(
    check: ScreeningCheck,
    listed: ListedName,
    result: Score,
    *,
    name: str,
    before: ScreeningHit | None,
    at: datetime,
) -> ScreeningHit:
    hit = ScreeningHit(
        public_id=new_number("hit_", at=at), screening=check, listed=listed, name_sealed=name,
        score=result.points, strength=result.strength, reasons=list(result.reasons), asked_at=at,
        state=HitState.NOTED if result.strength is Strength.LOG else HitState.OPEN,
    )  # fmt: skip
    # Somebody who saw less than we know now has not decided about it.
    if before is not None and result.strength.rank <= Strength(before.strength).rank:
        hit.state, hit.asked_at, hit.carried_from = before.state, before.asked_at, before
        hit.decided_by_id, hit.decided_at = before.decided_by_id, before.decided_at
        hit.reason = before.reason
    return hit


def _earlier(
    known: dict[tuple[str, str], _Known], checks: Sequence[ScreeningCheck]
) -> dict[tuple[tuple[str, str], int, bytes], ScreeningHit]:
    """The newest hit of the same subject on the same facts and the same entry of a list."""
    if not checks:
        return {}
    asked = ScreeningHit.objects.filter(
        screening__subject_kind__in={check.subject_kind for check in checks},
        screening__subject_ref__in={check.subject_ref for check in checks},
        screening__list__in={check.list_id for check in checks},
        screening__facts_digest__in={
            digest for check in checks for digest in known[check_key(check)].facts
        },
    ).exclude(state=HitState.NOTED)
    newest = asked.order_by(
        "screening__list_id", "screening__subject_kind", "screening__subject_ref",
        "listed__digest", "-pk",
    ).distinct(
        "screening__list_id", "screening__subject_kind", "screening__subject_ref",
        "listed__digest",
    )  # fmt: skip
    return {
        (check_key(hit.screening), hit.screening.list_id, bytes(hit.listed.digest)): hit
        for hit in newest.select_related("screening", "listed")
        if check_key(hit.screening) in known
        and bytes(hit.screening.facts_digest) in known[check_key(hit.screening)].facts
    }


def _tell(
    checks: Sequence[ScreeningCheck], hits: Sequence[ScreeningHit], actor: Actor, at: datetime
) -> None:
    """One entry for a subject: with which lists it was compared, and how many names were alike."""
    facts = {
        "lists": {check.list.code: check.version.number for check in checks},
        "algorithm": ALGORITHM,
        "hits": {
            strength.value: count
            for strength in Strength
            if (count := sum(hit.strength == strength for hit in hits))
        },
        "asked": sum(hit.state == HitState.OPEN and hit.carried_from_id is None for hit in hits),
    }
    record(actor, "screening.checked", subject=check_key(checks[0]), facts=facts, at=at)
