"""Finds files in the storage that no row holds, and destroys them where the platform was told to.

A process that is killed between writing a file and its row leaves one behind; so does a storage
that was away when a file was erased. Nobody can open them, for their keys are nowhere, but they are
not to lie about either. By default they are only told of.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.protection.vault.files import STORAGE
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import HELD

SWEEPER: Final = Actor("system", "", "vault sweeper")
AGE_MIN: Final = timedelta(hours=24)
"""Far longer than any row comes after its file."""
FEW: Final = 20
SHARE_MAX: Final = 20
"""More than FEW, and more than one in so many files, are no leftovers of crashes: then the database
is likely older than the storage, and the files are evidence.
"""
NAMED_MAX: Final = 50
_FOLDER: Final = re.compile(r"[0-9a-z]{2}")
_FILE: Final = re.compile(r"doc_[0-9a-hjkmnp-tv-z]{26}(?:_[0-9A-Za-z]{7})?")
"""What the vault calls its files; nothing else in the storage is ours to judge."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: how many files it looked at, and those that no row holds."""

    seen: int
    orphans: Sequence[str]

    @property
    def is_suspicious(self) -> bool:
        """Whether there are too many to believe that crashes left them."""
        return len(self.orphans) > max(FEW, self.seen // SHARE_MAX)


def sweep_vault(*, at: datetime) -> int:
    """Look through the storage once, and destroy orphans when VAULT_SWEEP is "delete"; how many
    there were. Called once a day, outside transactions; safe to repeat after a crash.

    The trail says what was found, before anything is destroyed.
    """
    swept = look_through(at=at)
    if not swept.orphans:
        return 0
    is_deleting = settings.VAULT_SWEEP == "delete" and not swept.is_suspicious
    with transaction.atomic():
        _tell(swept, is_deleting=is_deleting, at=at)
    if is_deleting:
        for place in swept.orphans:
            storages[STORAGE].delete(place)
    return len(swept.orphans)


def look_through(*, at: datetime) -> Swept:
    """What a sweep would find; nothing is changed."""
    storage, seen, orphans = storages[STORAGE], 0, list[str]()
    for places in _old_files(storage, before=at - AGE_MIN):
        # Asked after the storage was: a row that came meanwhile is seen.
        rows = StoredFile.objects.filter(storage_name__in=places, state__in=HELD)
        held = set(rows.values_list("storage_name", flat=True))
        seen += len(places)
        orphans += [place for place in places if place not in held]
    return Swept(seen, orphans)


def _old_files(storage: Storage, *, before: datetime) -> Iterator[list[str]]:
    try:
        folders, _files = storage.listdir("")
    except FileNotFoundError:
        return  # Nothing was ever kept.
    for folder in sorted(name for name in folders if _FOLDER.fullmatch(name)):
        _folders, names = storage.listdir(folder)
        places = [f"{folder}/{name}" for name in sorted(names) if _FILE.fullmatch(name)]
        if old := [place for place in places if _written_before(storage, place, before)]:
            yield old


def _written_before(storage: Storage, place: str, moment: datetime) -> bool:
    try:
        return storage.get_modified_time(place) < moment
    except FileNotFoundError:
        return False  # Erased while we looked.


def _tell(swept: Swept, *, is_deleting: bool, at: datetime) -> None:
    orphans = swept.orphans
    facts = {
        "seen": swept.seen, "orphans": len(orphans), "named": list(orphans[:NAMED_MAX]),
        "list_sha256": hashlib.sha256("\n".join(orphans).encode()).hexdigest(),
    }  # fmt: skip
    about = ("vault", "files")
    if swept.is_suspicious:
        record(SWEEPER, "alarm.vault_orphans", subject=about, facts=facts, at=at)
    elif is_deleting:
        record(SWEEPER, "vault.orphans_destroyed", subject=about, facts=facts, at=at)
    else:
        record(SWEEPER, "vault.orphans_found", subject=about, facts=facts, at=at)
