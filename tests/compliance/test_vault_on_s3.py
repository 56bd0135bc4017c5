"""The vault where sealed files lie in a storage that speaks S3, on a server we did not write."""

import io
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.session import get_session
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.numbers import new_number
from compliance.protection.errors import Tampered
from compliance.protection.vault import sweeping
from compliance.protection.vault.files import (
    STORAGE,
    FileClosed,
    Upload,
    erase_file,
    open_file,
    take_in,
)
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.received import keep_received, pieces_of
from compliance.protection.vault.streams import PIECE_BYTES
from tests.compliance import hostile
from tests.compliance.people import NOON

pytestmark = pytest.mark.django_db

KEYS = {"AWS_ACCESS_KEY_ID": "paysite", "AWS_SECRET_ACCESS_KEY": "paysite-secret"}


@pytest.fixture
def bucket(settings, monkeypatch) -> Iterator[None]:
    """An empty bucket, named in the settings as docs/deployer.md says."""
    for setting, word in {**KEYS, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(setting, word)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        name = f"vault-{uuid.uuid4()}"  # The server's buckets outlive it.
        address = "http://127.0.0.1:{1}".format(*server.get_host_and_port())
        get_session().create_client("s3", endpoint_url=address).create_bucket(Bucket=name)
        settings.STORAGES = {
            **settings.STORAGES,
            STORAGE: {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {"bucket_name": name, "endpoint_url": address},
            },
        }
        yield
    finally:
        server.stop()


def lying(row: StoredFile) -> bytes:
    with storages[STORAGE].open(row.storage_name) as file:
        content: bytes = file.read()
        return content


def test_a_paper_lies_sealed_opens_and_is_destroyed(bucket):
    content = hostile.pdf()
    row = take_in(
        Upload("licence.pdf", "", content), purpose="licence", owner=("merchant", "mch_tea"),
        actor=SYSTEM, at=NOON,
    )  # fmt: skip
    assert b"%PDF" not in lying(row)
    assert open_file(row, reason="review", actor=SYSTEM, at=NOON).content.startswith(b"%PDF")

    erase_file(row, actor=SYSTEM, at=NOON, reason="term over")

    assert not storages[STORAGE].exists(row.storage_name)
    row.refresh_from_db()
    with pytest.raises(FileClosed):
        open_file(row, reason="review", actor=SYSTEM, at=NOON)


def test_a_paper_that_was_changed_in_the_bucket_does_not_open(bucket):
    row = take_in(
        Upload("licence.png", "", hostile.png()), purpose="licence",
        owner=("merchant", "mch_tea"), actor=SYSTEM, at=NOON,
    )  # fmt: skip
    held = lying(row)
    storages[STORAGE].delete(row.storage_name)
    storages[STORAGE].save(row.storage_name, ContentFile(held[:-1] + bytes([held[-1] ^ 1])))
    with pytest.raises(Tampered):
        open_file(row, reason="review", actor=SYSTEM, at=NOON)


def test_a_long_bill_comes_back_in_pieces(bucket):
    content = bytes(n % 251 for n in range(3 * PIECE_BYTES + 7))
    row = keep_received(
        io.BytesIO(content), name="20261120.csv.zip", media_type="application/zip",
        purpose="bill", owner=("channel", "alipay"), actor=SYSTEM, at=NOON,
    )  # fmt: skip
    assert b"".join(pieces_of(row)) == content


def test_what_a_crash_left_in_the_bucket_is_found(bucket, settings):
    settings.VAULT_SWEEP = "delete"
    row = take_in(
        Upload("licence.pdf", "", hostile.pdf()), purpose="licence",
        owner=("merchant", "mch_tea"), actor=SYSTEM, at=NOON,
    )  # fmt: skip
    number = new_number("doc_", at=NOON)
    place = storages[STORAGE].save(f"{number[-4:-2]}/{number}", ContentFile(b"sealed"))
    written = storages[STORAGE].get_modified_time(place)

    assert sweeping.sweep_vault(at=written + timedelta(hours=25)) == 1

    told = AuditEntry.objects.filter(subject_kind="vault").latest("pk")
    assert (told.action, told.facts["named"]) == ("vault.orphans_destroyed", [place])
    assert not storages[STORAGE].exists(place)
    assert storages[STORAGE].exists(row.storage_name)
