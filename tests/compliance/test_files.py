"""Files are looked into, scanned, sealed, shown for a reason, and destroyed."""

import hashlib
import io
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from PIL import Image

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.protection.errors import Unreadable
from compliance.protection.rotation import begin_rotation, field_columns, move_values
from compliance.protection.vault import files, scanning
from compliance.protection.vault.files import (
    FileClosed,
    FileNotFound,
    Upload,
    erase_file,
    find_file,
    open_file,
    scan_waiting,
    take_in,
)
from compliance.protection.vault.kinds import KINDS, FileRefused, clean_name
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.scanning import Scan, scan
from compliance.protection.vault.states import FileState
from compliance.protection.vault.words import FILE_REFUSALS
from tests.compliance import hostile
from tests.compliance.people import NOON, hire

pytestmark = pytest.mark.django_db

TEA = ("merchant", "mch_tea")
BOOKS = ("merchant", "mch_books")


def hand_in(content: bytes, name: str = "licence.png", media_type: str = "", owner=TEA):
    return take_in(
        Upload(name, media_type, content), purpose="licence", owner=owner, actor=SYSTEM, at=NOON
    )


def kept(row: StoredFile) -> bytes:
    """What lies in the storage."""
    with storages["vault"].open(row.storage_name) as file:
        content: bytes = file.read()
        return content


def refusal(content: bytes, name: str = "licence.png", media_type: str = "") -> str:
    with pytest.raises(FileRefused) as told:
        hand_in(content, name, media_type)
    assert told.value.code in FILE_REFUSALS
    return told.value.code


def seen(row: StoredFile) -> bytes:
    return open_file(row, reason="review", actor=SYSTEM, at=NOON).content


class TestTakenIn:
    """Honest files."""

    @pytest.mark.parametrize(
        ("content", "name"),
        [(hostile.png(), "licence.png"), (hostile.jpeg(), "licence.JPEG"),
         (hostile.pdf(), "licence.pdf"), (hostile.pdf(pages=50), "licence.pdf"),
         (hostile.pdf(hostile.page_to_begin_with), "licence.pdf")],
    )  # fmt: skip
    def test_it_is_kept_and_shown(self, content, name):
        row = hand_in(content, name)
        assert row.state == FileState.CLEAN
        shown = seen(row)
        assert hashlib.sha256(shown).digest() == bytes(row.sha256)
        assert hashlib.sha256(content).digest() == bytes(row.received_sha256)
        deeds = AuditEntry.objects.filter(subject_id=row.public_id).order_by("pk")
        assert list(deeds.values_list("action", "reason")) == [
            ("file.taken_in", ""), ("file.viewed", "review"),
        ]  # fmt: skip

    def test_an_image_is_drawn_anew_without_place_and_time(self):
        row = hand_in(hostile.jpeg(with_place=True), "shop.jpg")
        with Image.open(io.BytesIO(seen(row))) as image:
            assert dict(image.getexif()) == {}
            assert "taken at home" not in str(image.info)
        assert (row.facts["width"], row.facts["height"]) == (60, 40)

    def test_what_was_hung_on_is_gone(self):
        row = hand_in(hostile.png(tail=b"<script>alert(1)</script>"))
        assert b"script" not in seen(row)

    def test_it_lies_sealed_under_its_own_key(self):
        content = hostile.pdf()
        one, two = hand_in(content, "a.pdf"), hand_in(content, "b.pdf")
        held = [kept(row) for row in (one, two)]
        assert held[0] != held[1]
        assert b"%PDF" not in held[0] + held[1]
        with connection.cursor() as cursor:
            cursor.execute("SELECT key_sealed FROM compliance_storedfile")
            keys = [key for (key,) in cursor.fetchall()]
        assert len({key.partition(":")[2] for key in keys}) == 2
        assert all(key.startswith("v1:") for key in keys)

    def test_a_file_of_just_the_size_is_taken_and_one_byte_more_is_not(self):
        limit = next(kind.bytes_max for kind in KINDS if kind.media_type == "application/pdf")
        start = hostile.pdf()
        fits = start + b"\n" * (limit - len(start))
        assert hand_in(fits, "licence.pdf").size == limit
        assert refusal(fits + b"\n", "licence.pdf") == "too_large"


class TestRefused:
    """Tricks, each with a code and words, and nothing kept."""

    @pytest.mark.parametrize(
        ("content", "name", "media_type", "code"),
        [
            (b"", "licence.png", "image/png", "empty"),
            (hostile.EICAR, "licence.png", "", "kind_differs"),
            (hostile.png(tail=hostile.EICAR), "licence.png", "", "infected"),
            (b"GIF89a/*" + b"=1;alert(1)//", "licence.png", "", "kind_differs"),
            (b"GIF89a", "licence.gif", "image/gif", "kind_unknown"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "licence.png", "", "kind_differs"),
            (hostile.zip_bomb(), "licence.pdf", "application/pdf", "kind_differs"),
            (hostile.zip_bomb(), "licence.zip", "application/zip", "kind_unknown"),
            (hostile.png(), "licence.png", "application/pdf", "kind_differs"),
            (hostile.png(), "licence.pdf", "application/pdf", "kind_differs"),
            (hostile.png(), "licence.php", "image/png", "kind_unknown"),
            (hostile.png(), "licence", "image/png", "kind_unknown"),
            (hostile.huge_png(), "licence.png", "", "too_many_pixels"),
            (hostile.png()[:60], "licence.png", "", "broken_image"),
            (hostile.png()[:8] + bytes(500), "licence.png", "", "broken_image"),
            (b"\xff\xd8\xff" + bytes(500), "licence.jpg", "", "broken_image"),
            (hostile.pdf(hostile.script), "licence.pdf", "", "pdf_active"),
            (hostile.pdf(hostile.action("/Launch")), "licence.pdf", "", "pdf_active"),
            (hostile.pdf(hostile.action("/URI")), "licence.pdf", "", "pdf_active"),
            (hostile.pdf(hostile.attachment), "licence.pdf", "", "pdf_active"),
            (hostile.pdf(hostile.form_with_xfa), "licence.pdf", "", "pdf_active"),
            (hostile.pdf(hostile.annotation_with_action), "licence.pdf", "", "pdf_active"),
            (hostile.in_object_stream(), "licence.pdf", "", "pdf_active"),
            (hostile.named_elsewhere(), "licence.pdf", "", "pdf_active"),
            (hostile.not_in_the_table(), "licence.pdf", "", "pdf_active"),
            (hostile.not_in_the_table(b"/J#61vaScript"), "licence.pdf", "", "pdf_active"),
            (hostile.pdf(), "licence.pdf", "image/jpg", "kind_differs"),
            (hostile.pdf(hostile.password), "licence.pdf", "", "pdf_encrypted"),
            (hostile.pdf(pages=51), "licence.pdf", "", "too_many_pages"),
            (b"%PDF-1.4 and nothing more", "licence.pdf", "", "broken_pdf"),
        ],
    )
    def test_it_is_refused_with_a_reason(self, content, name, media_type, code):
        assert refusal(content, name, media_type) == code
        if code == "infected":
            row = StoredFile.objects.get()
            assert row.state == FileState.INFECTED
            assert not storages["vault"].exists(row.storage_name)
        else:
            assert not StoredFile.objects.exists()

    def test_a_file_that_wears_its_reader_out_is_refused(self):
        assert refusal(hostile.nested(), "licence.pdf") in {
            "broken_pdf", "pdf_too_complex", "too_complex",
        }  # fmt: skip

    def test_nobody_fills_the_storage(self, monkeypatch):
        monkeypatch.setattr(files, "FILES_OF_OWNER_MAX", 2)
        hand_in(hostile.png())
        hand_in(hostile.png())
        assert refusal(hostile.png()) == "too_many_files"
        assert hand_in(hostile.png(), owner=BOOKS).state == FileState.CLEAN

    def test_a_storage_that_fails_leaves_no_row(self, monkeypatch):
        def full(*args, **kwargs):
            raise OSError("no space left")

        monkeypatch.setattr(type(storages["vault"]), "_save", full)
        with pytest.raises(OSError, match="no space"):
            hand_in(hostile.png())
        assert not StoredFile.objects.exists()

    def test_a_database_that_fails_leaves_no_content(self, monkeypatch):
        def away(*args, **kwargs):
            raise IntegrityError

        def held() -> list[str]:
            folders = storages["vault"].listdir("")[0]
            return [name for folder in folders for name in storages["vault"].listdir(folder)[1]]

        before = held()
        monkeypatch.setattr(files, "_tell", away)
        with pytest.raises(IntegrityError):
            hand_in(hostile.png())
        assert not StoredFile.objects.exists()
        assert held() == before


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\Users\\lin\\licence.PDF", "licence.pdf"),
        ("licence\u202egnp.exe.png", "licencegnp_exe.png"),
        ("licence\x00.php.jpg", "licence_php.jpg"),
        ("营业执照 (副本).jpg", "营业执照 (副本).jpg"),
        ("<b>x</b>.png", "b.png"),
        ("....png", "file.png"),
        ("x" * 300 + ".png", "x" * 120 + ".png"),
    ],
)
def test_names_are_shown_without_tricks(typed, shown):
    assert clean_name(typed) == shown


class TestScanner:
    """ClamAV's INSTREAM, spoken to a scanner of our own making."""

    @pytest.fixture
    def scanner(self, tmp_path: Path, settings, request) -> Iterator[list[bytes]]:
        """Answers with what the test wants, and keeps what it was sent."""
        got: list[bytes] = []
        place = str(tmp_path / "clamd.ctl")
        server = socket.socket(socket.AF_UNIX)
        server.bind(place)
        server.listen()
        settings.CLAMD = f"unix://{place}"

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line, line.makefile("rb") as sent:
                    assert sent.read(10) == b"zINSTREAM\0"
                    content = b""
                    while size := struct.unpack(">I", sent.read(4))[0]:
                        content += sent.read(size)
                    got.append(content)
                    line.sendall(self.ANSWERS.pop(0) if self.ANSWERS else b"stream: OK\0")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield got
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()

    ANSWERS: list[bytes] = []

    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [(b"stream: OK\0", Scan.CLEAN), (b"stream: Eicar-Test-Signature FOUND\0", Scan.INFECTED),
         (b"INSTREAM size limit exceeded. ERROR\0", Scan.UNKNOWN), (b"", Scan.UNKNOWN),
         (b"stream: OKAY\0", Scan.UNKNOWN), (b"x" * 9000, Scan.UNKNOWN)],
    )  # fmt: skip
    def test_only_a_clear_word_counts(self, scanner, answer, verdict):
        self.ANSWERS[:] = [answer]
        assert scan(b"content" * 20_000) == verdict
        assert scanner == [b"content" * 20_000]

    def test_a_scanner_that_takes_its_time_says_nothing(self, settings, monkeypatch):
        settings.CLAMD = "unix:///slow"
        ours, theirs = socket.socketpair()
        seconds = iter([0.0, 0.0, 1.0, 31.0])
        monkeypatch.setattr(scanning, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
        monkeypatch.setattr(scanning, "_connection", lambda: ours)
        with theirs:
            theirs.sendall(b"stream: OK")
            assert scan(b"content") == Scan.UNKNOWN
        assert list(seconds) == [], "it was waited for until the end of its time"

    @pytest.mark.parametrize(
        "address", ["unix:///nowhere/clamd.ctl", "tcp://127.0.0.1:1", "tcp://clamd:many"]
    )
    def test_a_scanner_that_is_away_says_nothing(self, settings, address):
        settings.CLAMD = address
        assert scan(b"content") == Scan.UNKNOWN

    def test_without_a_scanner_production_knows_nothing(self, settings):
        settings.DEMO, settings.CLAMD = False, ""
        assert scan(b"content") == Scan.UNKNOWN

    def test_who_is_not_scanned_waits_and_is_scanned_later(self, scanner, settings):
        answering = settings.CLAMD
        settings.CLAMD = "unix:///nowhere/clamd.ctl"
        good, bad = hand_in(hostile.png()), hand_in(hostile.jpeg(), "bad.jpg")
        for row in (good, bad):
            assert row.state == FileState.QUARANTINED
            with pytest.raises(FileClosed):
                seen(row)
        later = NOON + timedelta(minutes=6)
        assert scan_waiting(at=later) == 0
        settings.CLAMD = answering
        self.ANSWERS[:] = [b"stream: OK\0", b"stream: Trojan FOUND\0"]
        assert scan_waiting(at=later + timedelta(minutes=1)) == 0, "not before its time"
        assert scan_waiting(at=later + timedelta(minutes=6)) == 2
        good.refresh_from_db()
        bad.refresh_from_db()
        assert (good.state, bad.state) == (FileState.CLEAN, FileState.INFECTED)
        assert seen(good)
        assert not storages["vault"].exists(bad.storage_name)
        assert bad.key_sealed.open() == ""


class TestTampering:
    """Whoever has the database or the storage has not the files."""

    def test_contents_that_were_swapped_do_not_open(self):
        one, two = hand_in(hostile.pdf(), "a.pdf"), hand_in(hostile.pdf(pages=2), "b.pdf")
        StoredFile.objects.filter(pk=two.pk).update(storage_name="elsewhere")
        StoredFile.objects.filter(pk=one.pk).update(storage_name=two.storage_name)
        with pytest.raises(Unreadable):
            seen(StoredFile.objects.get(pk=one.pk))

    def test_a_key_that_was_moved_does_not_open(self):
        one, two = hand_in(hostile.pdf(), "a.pdf"), hand_in(hostile.pdf(), "b.pdf")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE compliance_storedfile SET key_sealed = (SELECT key_sealed FROM"
                " compliance_storedfile WHERE id = %s) WHERE id = %s", [two.pk, one.pk],
            )  # fmt: skip
        with pytest.raises(Unreadable):
            seen(StoredFile.objects.get(pk=one.pk))

    @pytest.mark.parametrize(
        "change",
        [
            lambda held: held[:-1], lambda held: held[:5],
            lambda held: bytes([held[0] ^ 1]) + held[1:], lambda held: b"",
        ],
    )  # fmt: skip
    def test_a_content_that_was_changed_does_not_open(self, change):
        row = hand_in(hostile.png())
        held = kept(row)
        storages["vault"].delete(row.storage_name)
        storages["vault"].save(row.storage_name, ContentFile(change(held)))
        with pytest.raises(Unreadable):
            seen(row)

    def test_keys_of_files_rotate_with_the_rest(self):
        assert "compliance_storedfile.key_sealed" in [one.name for one in field_columns()]
        row = hand_in(hostile.png())
        with connection.cursor() as cursor:
            cursor.execute("SELECT split_part(key_sealed, ':', 2) FROM compliance_storedfile")
            (before,) = cursor.fetchone() or ("",)
        moved = list(move_values(begin_rotation(actor=SYSTEM, at=NOON), limit=10))
        assert ("compliance_storedfile.key_sealed", 1, 0) in moved
        with connection.cursor() as cursor:
            cursor.execute("SELECT split_part(key_sealed, ':', 2) FROM compliance_storedfile")
            assert cursor.fetchone() != (before,)
        assert seen(StoredFile.objects.get(pk=row.pk))

    @pytest.mark.parametrize("change", [
        {"state": "clean", "scan_at": NOON}, {"state": "erased"}, {"state": "lost"},
        {"state": "quarantined"}, {"size": 0},
    ])  # fmt: skip
    def test_the_database_refuses_nonsense(self, change):
        row = hand_in(hostile.png())
        with pytest.raises(IntegrityError), transaction.atomic():
            StoredFile.objects.filter(pk=row.pk).update(**change)


class TestEnd:
    """What is erased is gone."""

    def test_key_and_content_are_destroyed_and_the_row_stays(self):
        row = hand_in(hostile.png())
        erase_file(row, actor=SYSTEM, at=NOON, reason="term ended")
        row.refresh_from_db()
        assert row.state == FileState.ERASED
        assert row.key_sealed.open() == ""
        assert not storages["vault"].exists(row.storage_name)
        with pytest.raises(FileClosed):
            seen(row)
        with pytest.raises(FileClosed):
            erase_file(row, actor=SYSTEM, at=NOON, reason="again")

    def test_another_owners_file_is_like_none(self):
        row = hand_in(hostile.png())
        assert find_file(row.public_id, owner=TEA) == row
        for number, owner in ((row.public_id, BOOKS), ("doc_" + "0" * 26, TEA), ("../x", TEA)):
            with pytest.raises(FileNotFound):
                find_file(number, owner=owner)


class TestOnTheDesk:
    """Evidence."""

    @pytest.fixture
    def shen(self):
        client = Client(headers={"accept-language": "en"})
        hire("shen", roles=["compliance_officer"]).sign_in(client)
        return client

    def send(self, client: Client, content: bytes, name: str = "letter.pdf"):
        file = SimpleUploadedFile(name, content, content_type="application/pdf")
        return client.post("/compliance/files/", {"file": file})

    def test_from_handing_in_to_looking_at_it(self, shen):
        assert self.send(shen, hostile.pdf(), "来信.pdf").status_code == 302
        row = StoredFile.objects.get()
        assert "来信.pdf" in shen.get("/compliance/files/").content.decode()
        page = f"/compliance/files/{row.public_id}/view/"
        assert shen.post(page, {"reason": " "}).status_code == 302
        assert not AuditEntry.objects.filter(action="file.viewed").exists()
        answer = shen.post(page, {"reason": "inspection"})
        assert answer.content.startswith(b"%PDF")
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert AuditEntry.objects.get(action="file.viewed").reason == "inspection"

    def test_a_refusal_says_what_to_do(self, shen):
        page = self.send(shen, hostile.pdf(hostile.script)).content.decode()
        assert "Print it into a new PDF" in page
        assert not StoredFile.objects.exists()

    def test_a_large_one_is_taken_from_officers_and_not_from_strangers(self, shen):
        start = hostile.pdf()
        large = start + b"\n" * (9_000_000 - len(start))
        assert self.send(shen, large).status_code == 302
        assert self.send(Client(), large).status_code == 413
        assert self.send(shen, large + bytes(3_000_000)).status_code == 413
        elsewhere = shen.post("/account/password/", {"file": SimpleUploadedFile("x", large)})
        assert elsewhere.status_code == 413

    def test_only_officers_hand_in_and_a_merchants_file_is_not_here(self, shen):
        merchants = hand_in(hostile.png())
        page = f"/compliance/files/{merchants.public_id}/view/"
        assert shen.post(page, {"reason": "curious"}).status_code == 404
        auditor = Client(headers={"accept-language": "en"})
        hire("su", roles=["auditor"]).sign_in(auditor)
        assert auditor.get("/compliance/files/").status_code == 200
        assert self.send(auditor, hostile.pdf()).status_code == 403
