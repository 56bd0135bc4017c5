"""How much alike a subject and a listed name are, and why. Pure rules.

Points are 0 to 100. A number of the identity that agrees blocks; a name alone never does, it only
holds until a person has looked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import Final

from merchants.screening.normal import (
    DELETIONS_FROM_HAN,
    DELETIONS_FROM_LETTERS,
    DELETIONS_MAX,
    Entity,
    Form,
    consonants,
    ends_of,
)

ALGORITHM: Final = "names-1"
"""Raised whenever the same two names may get other points: everybody is screened anew."""

BLOCK_FROM: Final = 100
HOLD_FROM: Final = 80
LOG_FROM: Final = 60

EXACT: Final = 98
NORMAL: Final = 95
LOOKALIKE: Final = 88
SOUND: Final = 85
"""One side is written in letters, which hold no more than the sound."""
HOMOPHONE: Final = 70
"""Both sides are written in characters, and in different ones."""
LONG_HOMOPHONE: Final = 84
"""So are these, but most characters agree."""
VOWELS: Final = 82
CONSONANTS_FROM: Final = 6
"""Shorter names with the same consonants are other names."""
EDIT_COST: Final = 10
SIMILAR_FROM: Final = 80
"""Per cent of signs that must agree."""
BIRTH_AGREES: Final = 12
BIRTH_DIFFERS: Final = 30
NAME_MAX: Final = 99


class Strength(StrEnum):
    """What a score leads to, from the strongest."""

    BLOCK = "block"
    HOLD = "hold"
    LOG = "log"
    NONE = "none"

    @property
    def rank(self) -> int:
        """Higher is stronger."""
        return -list(Strength).index(self)


class Reason(StrEnum):
    """Why two names are alike, or less alike than they look."""

    IDENTITY = "identity"
    EXACT = "exact"
    NORMAL = "normal"
    LOOKALIKE = "lookalike"
    SOUND = "sound"
    HOMOPHONE = "homophone"
    SPELLING = "spelling"
    VOWELS = "vowels"
    BIRTH_AGREES = "birth_agrees"
    BIRTH_DIFFERS = "birth_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All that is known of one side."""

    entity: Entity
    forms: tuple[Form, ...]
    """The name and the aliases."""
    identity: bytes = b""
    """The keyed digest of the identity number; empty when there is none."""
    born: str = ""
    """A date, or a year, or nothing."""


@dataclass(frozen=True, slots=True)
class Score:
    """How much alike two sides are."""

    points: int
    reasons: tuple[Reason, ...]

    @property
    def strength(self) -> Strength:
        """What it leads to."""
        if self.points >= BLOCK_FROM:
            return Strength.BLOCK
        if self.points >= HOLD_FROM:
            return Strength.HOLD
        return Strength.LOG if self.points >= LOG_FROM else Strength.NONE


UNLIKE: Final = Score(0, ())


def score(subject: Profile, listed: Profile) -> Score:
    """Compare two sides. Persons are compared with persons only, unless the numbers agree."""
    if subject.identity and subject.identity == listed.identity:
        return Score(BLOCK_FROM, (Reason.IDENTITY,))
    if subject.entity is not listed.entity:
        return UNLIKE
    best = max(
        (_names(ours, theirs) for ours, theirs in product(subject.forms, listed.forms)),
        key=lambda one: one.points,
        default=UNLIKE,
    )
    if not best.points:
        return UNLIKE
    return _with_birth(best, subject.born, listed.born)


def _with_birth(name: Score, ours: str, theirs: str) -> Score:
    """A date against a year is compared by the year, which says too little to raise anything."""
    known = min(len(ours), len(theirs))
    if not known:
        return name
    if ours[:known] != theirs[:known]:
        points = max(0, name.points - BIRTH_DIFFERS)
        return Score(points, (*name.reasons, Reason.BIRTH_DIFFERS))
    raised = BIRTH_AGREES if len(ours) == len(theirs) == len("1975-03-07") else 0
    return Score(min(NAME_MAX, name.points + raised), (*name.reasons, Reason.BIRTH_AGREES))


def _names(ours: Form, theirs: Form) -> Score:
    if not (ours.plain and theirs.plain):
        return UNLIKE
    if ours.exact == theirs.exact:
        return Score(EXACT, (Reason.EXACT,))
    if ours.plain == theirs.plain:
        return Score(NORMAL, (Reason.NORMAL,))
    return max(_less_than_same(ours, theirs), key=lambda one: one.points, default=UNLIKE)


def _less_than_same(ours: Form, theirs: Form) -> Iterator[Score]:
    if ours.shape == theirs.shape:
        yield Score(LOOKALIKE, (Reason.LOOKALIKE,))
        return
    is_same_sound = bool(set(ours.sounds) & set(theirs.sounds))
    if ours.is_han and theirs.is_han:
        alike = _spelling(ours.shape, theirs.shape, shortest=DELETIONS_FROM_HAN)
        yield from _characters(alike, is_same_sound=is_same_sound)
    elif is_same_sound:
        yield Score(SOUND, (Reason.SOUND,))
    else:
        yield from _letters(ours, theirs)


def _characters(spelling: int, *, is_same_sound: bool) -> Iterator[Score]:
    if is_same_sound and spelling:
        yield Score(LONG_HOMOPHONE, (Reason.HOMOPHONE, Reason.SPELLING))
    elif is_same_sound:
        yield Score(HOMOPHONE, (Reason.HOMOPHONE,))
    elif spelling:
        yield Score(spelling, (Reason.SPELLING,))


def _letters(ours: Form, theirs: Form) -> Iterator[Score]:
    pairs = product(ours.sounds, theirs.sounds)
    if spelling := max(_spelling(a, b, shortest=DELETIONS_FROM_LETTERS) for a, b in pairs):
        yield Score(spelling, (Reason.SPELLING,))
    skeleton = consonants(ours)
    if len(skeleton) >= CONSONANTS_FROM and skeleton == consonants(theirs):
        yield Score(VOWELS, (Reason.VOWELS,))


def _spelling(ours: str, theirs: str, *, shortest: int) -> int:
    """The points for two spellings, by how many per cent of the longer one stand; mostly 0.

    What holds shares a key of `normal.keys_of`: one edit, or more in a long name with a sound end.
    """
    longest = max(len(ours), len(theirs))
    if min(len(ours), len(theirs)) < shortest:
        return 0
    if abs(len(ours) - len(theirs)) * 100 > longest * (100 - SIMILAR_FROM):
        return 0
    distance = edits(ours, theirs)
    alike = 100 * (longest - distance) // longest
    if alike < SIMILAR_FROM:
        return 0
    has_sound_end = any(a == b for a, b in zip(ends_of(ours), ends_of(theirs), strict=False))
    is_near = has_sound_end or (distance == 1 and longest <= DELETIONS_MAX)
    return alike - EDIT_COST if is_near else min(alike - EDIT_COST, HOLD_FROM - 1)


@lru_cache(maxsize=1024)
def edits(ours: str, theirs: str) -> int:
    """Signs put in, left out, replaced, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(theirs) + 1))
    for i, a in enumerate(ours, start=1):
        older, before, row = before, row, [i]
        for j, b in enumerate(theirs, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == theirs[j - 2] and ours[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
