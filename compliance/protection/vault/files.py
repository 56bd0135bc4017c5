"""Takes files in, opens them for a reason, and destroys them."""

import base64
import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import is_number, new_number
from compliance.protection.errors import Tampered
from compliance.protection.vault.kinds import FileRefused, clean_name, kind_of
from compliance.protection.vault.looking import inspect
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.scanning import Scan, scan
from compliance.protection.vault.states import HELD, FileState
from compliance.protection.vault.streams import open_pieces

STORAGE: Final = "vault"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FILES_OF_OWNER_MAX: Final = 200
SCAN_AGAIN: Final = timedelta(minutes=5)


class FileNotFound(Exception):
    """There is no such file, or it is somebody else's: both are told the same."""


class FileClosed(Exception):
    """The file may not be looked at: it waits for the scan, had a virus, or was erased."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: what the sender calls it, and what it holds."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file to be shown to somebody."""

    number: str
    name: str
    media_type: str
    content: bytes


def take_in(
    upload: Upload, *, purpose: str, owner: tuple[str, str], actor: Actor, at: datetime
) -> StoredFile:
    """Check, scan, seal and keep a file. Called outside transactions: it asks a scanner and a
    storage.

    Nothing is kept of a file that is refused. Without a scanner's word it is kept in quarantine;
    with a bad one only the row is, and FileRefused("infected") raised. Raises FileRefused.
    """
    name = clean_name(upload.name)
    kind = kind_of(name=name, media_type=upload.media_type, content=upload.content)
    held = StoredFile.objects.filter(owner_kind=owner[0], owner_id=owner[1], state__in=HELD)
    if held.count() >= FILES_OF_OWNER_MAX:
        raise FileRefused("too_many_files")
    inspected = inspect(upload.content, media_type=kind.media_type)
    # Both are scanned: what came, and what is left of it after an image was drawn anew.
    verdicts = {scan(content) for content in {upload.content, inspected.content}}
    verdict = next(one for one in (Scan.INFECTED, Scan.UNKNOWN, Scan.CLEAN) if one in verdicts)
    number, key = new_number("doc_", at=at), os.urandom(KEY_BYTES)
    digest = hashlib.sha256(inspected.content).digest()
    state = {
        Scan.CLEAN: FileState.CLEAN,
        Scan.INFECTED: FileState.INFECTED,
        Scan.UNKNOWN: FileState.QUARANTINED,
    }[verdict]
    place = f"{number[-4:-2]}/{number}"
    if state in HELD:
        place = storages[STORAGE].save(place, ContentFile(_sealed(inspected.content, key, number)))
    row = StoredFile(
        public_id=number, purpose=purpose, owner_kind=owner[0], owner_id=owner[1], name=name,
        media_type=kind.media_type, size=len(inspected.content), sha256=digest,
        received_sha256=hashlib.sha256(upload.content).digest(), facts=dict(inspected.facts),
        state=state, storage_name=place, key_sealed=base64.b64encode(key).decode(),
        uploaded_by=actor.label, created_at=at,
        scan_at=at + SCAN_AGAIN if state == FileState.QUARANTINED else None,
        ended_at=at if state == FileState.INFECTED else None,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _tell("file.taken_in", row, actor=actor, at=at, state=str(state.value))
    except BaseException:
        storages[STORAGE].delete(place)
        raise
    if state == FileState.INFECTED:
        raise FileRefused("infected")
    return row


def keep_made(
    upload: Upload, *, purpose: str, owner: tuple[str, str], actor: Actor, at: datetime
) -> StoredFile:
    """Seal and keep a file that the platform made itself, to the byte: nothing is looked into or
    scanned. Called outside transactions: it asks a storage.
    """
    number, key = new_number("doc_", at=at), os.urandom(KEY_BYTES)
    digest = hashlib.sha256(upload.content).digest()
    sealed = ContentFile(_sealed(upload.content, key, number))
    place = storages[STORAGE].save(f"{number[-4:-2]}/{number}", sealed)
    row = StoredFile(
        public_id=number, purpose=purpose, owner_kind=owner[0], owner_id=owner[1],
        name=upload.name, media_type=upload.media_type, size=len(upload.content), sha256=digest,
        received_sha256=digest, facts={}, state=FileState.CLEAN, storage_name=place,
        key_sealed=base64.b64encode(key).decode(), uploaded_by=actor.label, created_at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _tell("file.kept", row, actor=actor, at=at)
    except BaseException:
        storages[STORAGE].delete(place)
        raise
    return row


def read_made(row: StoredFile) -> bytes:
    """The content of such a file, for the platform's own work; nobody is shown it.

    Raises FileClosed, or Tampered when the stored content is not what was kept.
    """
    if row.state != FileState.CLEAN:
        raise FileClosed
    return _content(row)


def find_file(number: str, *, owner: tuple[str, str] | None = None) -> StoredFile:
    """A file by its number, of this owner where one is named. Raises FileNotFound."""
    rows = StoredFile.objects.filter(public_id=number)
    if owner is not None:
        rows = rows.filter(owner_kind=owner[0], owner_id=owner[1])
    row = rows.first() if is_number(number, "doc_") else None
    if row is None:
        raise FileNotFound
    return row


def open_file(row: StoredFile, *, reason: str, actor: Actor, at: datetime) -> OpenedFile:
    """The content, for somebody with a reason, which is recorded before anything is shown.

    The caller has asked whether they may. Raises FileClosed, or Tampered when the stored content is
    not what was kept.
    """
    if row.state != FileState.CLEAN:
        raise FileClosed
    with transaction.atomic():
        _tell("file.viewed", row, actor=actor, at=at, reason=reason)
    return OpenedFile(row.public_id, row.name, row.media_type, _content(row))


def scan_waiting(*, at: datetime, most: int = 20) -> int:
    """Scan files that wait; how many are decided. Safe to run at once: each takes other rows."""
    decided = 0
    for row in _take_waiting(at, most):
        verdict = scan(_content(row))
        if verdict == Scan.UNKNOWN:
            continue
        to = FileState.CLEAN if verdict == Scan.CLEAN else FileState.INFECTED
        decided += _end_waiting(row.pk, to, at=at)
        if to == FileState.INFECTED:
            storages[STORAGE].delete(row.storage_name)
    return decided


def erase_file(row: StoredFile, *, actor: Actor, at: datetime, reason: str) -> None:
    """Destroy a file's key and then its content; the row says that it was there.

    Without its key the content opens no more, wherever copies of it may lie. Raises FileClosed when
    it is gone already.
    """
    with transaction.atomic():
        locked = StoredFile.objects.select_for_update().get(pk=row.pk)
        if locked.state not in HELD:
            raise FileClosed
        locked.move(FileState.ERASED, at=at)
        locked.key_sealed = ""
        locked.save(update_fields=["key_sealed"])
        _tell("file.erased", locked, actor=actor, at=at, reason=reason)
    storages[STORAGE].delete(row.storage_name)


@transaction.atomic
def _take_waiting(at: datetime, most: int) -> list[StoredFile]:
    due = StoredFile.objects.filter(scan_at__lte=at).order_by("scan_at")
    rows = list(due.select_for_update(skip_locked=True)[:most])
    StoredFile.objects.filter(pk__in=[row.pk for row in rows]).update(scan_at=at + SCAN_AGAIN)
    return rows


@transaction.atomic
def _end_waiting(pk: int, to: FileState, *, at: datetime) -> int:
    row = StoredFile.objects.select_for_update().get(pk=pk)
    if row.state != FileState.QUARANTINED:
        return 0
    row.move(to, at=at)
    if to == FileState.INFECTED:
        row.key_sealed = ""
        row.save(update_fields=["key_sealed"])
    actor = Actor("system", "", "virus scan")
    _tell("file.scanned", row, actor=actor, at=at, state=str(to.value))
    return 1


def _sealed(content: bytes, key: bytes, number: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, number.encode())


def _content(row: StoredFile) -> bytes:
    key = base64.b64decode(row.key_sealed.open())
    with storages[STORAGE].open(row.storage_name) as file:
        if "pieces" in row.facts:
            return b"".join(open_pieces(file, key=key, number=row.public_id))
        sealed: bytes = file.read()
    try:
        content = AESGCM(key).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row.public_id.encode()
        )
    except (InvalidTag, ValueError):
        raise Tampered(row.public_id) from None
    if hashlib.sha256(content).digest() != bytes(row.sha256):
        raise Tampered(row.public_id)
    return content


def _tell(
    action: str, row: StoredFile, *, actor: Actor, at: datetime, reason: str = "", state: str = ""
) -> None:
    facts = {
        "purpose": row.purpose, "owner": f"{row.owner_kind} {row.owner_id}",
        "type": row.media_type, "sha256": bytes(row.sha256).hex(),
        **({"state": state} if state else {}),
    }  # fmt: skip
    record(actor, action, subject=("file", row.public_id), facts=facts, reason=reason, at=at)
