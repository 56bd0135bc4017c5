"""Files that gateways hand over: kept as they came, whatever their length, and sealed."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.protection.errors import Tampered
from compliance.protection.vault.files import STORAGE, FileClosed, erase_file, open_file
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.received import hand_out, keep_received, pieces_of
from compliance.protection.vault.streams import PIECE_BYTES, PREFIX_BYTES, TAG_BYTES

pytestmark = pytest.mark.django_db


def keep(content: bytes) -> StoredFile:
    return keep_received(
        io.BytesIO(content), name="20261120.csv.zip", media_type="application/zip",
        purpose="bill", owner=("channel", "alipay"), actor=SYSTEM, at=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3_000_000])
def test_what_came_is_what_is_kept(size):
    content = bytes(n % 251 for n in range(size))
    row = keep(content)
    assert b"".join(pieces_of(row)) == content
    assert row.size == size
    with storages[STORAGE].open(row.storage_name) as sealed:
        assert content[:64] not in sealed.read() or size == 1


def test_whoever_looks_is_recorded_first():
    row = keep(b"bill")
    pieces = hand_out(row, reason="claim 7", actor=SYSTEM, at=timezone.now())
    assert AuditEntry.objects.filter(action="file.viewed", reason="claim 7").count() == 1
    assert b"".join(pieces) == b"bill"
    assert open_file(row, reason="", actor=SYSTEM, at=timezone.now()).content == b"bill"


def spoil(row: StoredFile, content: bytes) -> None:
    storages[STORAGE].delete(row.storage_name)
    row.storage_name = storages[STORAGE].save(row.storage_name, ContentFile(content))
    row.save(update_fields=["storage_name"])


def test_cut_swapped_and_doubled_pieces_do_not_open():
    row = keep(b"a" * PIECE_BYTES + b"b" * PIECE_BYTES + b"c")
    with storages[STORAGE].open(row.storage_name) as file:
        sealed = file.read()
    piece = PIECE_BYTES + TAG_BYTES
    head, one, two, last = (
        sealed[:PREFIX_BYTES], sealed[PREFIX_BYTES:][:piece],
        sealed[PREFIX_BYTES + piece :][:piece], sealed[PREFIX_BYTES + 2 * piece :],
    )  # fmt: skip
    for wrong in (head + one + two, head + two + one + last, head + one + one + two + last, head):
        spoil(row, wrong)
        with pytest.raises(Tampered):
            list(pieces_of(row))


def test_what_was_erased_opens_no_more():
    row = keep(b"bill")
    erase_file(row, actor=SYSTEM, at=timezone.now(), reason="term over")
    row.refresh_from_db()
    with pytest.raises(FileClosed):
        hand_out(row, reason="x", actor=SYSTEM, at=timezone.now())


def test_nothing_is_no_evidence():
    with pytest.raises(ValueError, match="empty"):
        keep(b"")
