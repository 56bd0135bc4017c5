"""Files that machines hand over (a gateway's bill), kept exactly as they came, of any length.

They differ from what people hand in: nothing is drawn anew or looked into, because the bytes
are the evidence. They are never shown in a page, only handed out.
"""

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import new_number
from compliance.protection.errors import Tampered
from compliance.protection.vault.files import KEY_BYTES, STORAGE, FileClosed
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from compliance.protection.vault.streams import PIECE_BYTES, open_pieces, seal_pieces

PIECES: Final = "pieces"
"""Among a row's facts: it was sealed in pieces, this many."""


def digest_of(source: IO[bytes]) -> tuple[bytes, int]:
    """SHA-256 and length of a whole file, which is left at its beginning."""
    source.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := source.read(PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
    source.seek(0)
    return digest.digest(), size


def keep_received(
    source: IO[bytes],
    *,
    name: str,
    media_type: str,
    purpose: str,
    owner: tuple[str, str],
    actor: Actor,
    at: datetime,
) -> StoredFile:
    """Seal and keep a file. Called outside transactions: it writes to a storage.

    The caller knows where it came from, and that it is not empty (ValueError).
    """
    digest, size = digest_of(source)
    if not size:
        raise ValueError("an empty file is no evidence")
    number, key = new_number("doc_", at=at), os.urandom(KEY_BYTES)
    with tempfile.TemporaryFile() as sealed:
        pieces = -1  # The first one only begins the file.
        for piece in seal_pieces(source, key=key, number=number):
            sealed.write(piece)
            pieces += 1
        sealed.seek(0)
        place = storages[STORAGE].save(f"{number[-4:-2]}/{number}", File(sealed, name=number))
    row = StoredFile(
        public_id=number, purpose=purpose, owner_kind=owner[0], owner_id=owner[1], name=name,
        media_type=media_type, size=size, sha256=digest, received_sha256=digest,
        facts={PIECES: pieces}, state=FileState.CLEAN, storage_name=place,
        key_sealed=base64.b64encode(key).decode(), uploaded_by=actor.label, created_at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record(
                actor, "file.taken_in", subject=("file", row.public_id), facts=_facts(row), at=at
            )
    except BaseException:
        storages[STORAGE].delete(place)
        raise
    return row


def hand_out(row: StoredFile, *, reason: str, actor: Actor, at: datetime) -> Iterator[bytes]:
    """The content for somebody with a reason, which is recorded before anything is shown.

    The caller has asked whether they may. Raises FileClosed; and Tampered, perhaps on the way.
    """
    if row.state != FileState.CLEAN:
        raise FileClosed
    with transaction.atomic():
        record(
            actor, "file.viewed", subject=("file", row.public_id), facts=_facts(row),
            reason=reason, at=at,
        )  # fmt: skip
    return pieces_of(row)


def pieces_of(row: StoredFile) -> Iterator[bytes]:
    """The content, for the platform's own work. Raises Tampered, at the latest at the end."""
    key = base64.b64decode(row.key_sealed.open())
    digest = hashlib.sha256()
    with storages[STORAGE].open(row.storage_name) as sealed:
        for piece in open_pieces(sealed, key=key, number=row.public_id):
            digest.update(piece)
            yield piece
    if digest.digest() != bytes(row.sha256):
        raise Tampered(row.public_id)


def _facts(row: StoredFile) -> dict[str, str]:
    return {
        "purpose": row.purpose, "owner": f"{row.owner_kind} {row.owner_id}",
        "type": row.media_type, "sha256": bytes(row.sha256).hex(),
    }  # fmt: skip
