"""Time stamps of blocks, by an authority that is OpenSSL's and not ours."""

import datetime as dt
import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from compliance.audit import stamping
from compliance.audit.models import AuditBlock, AuditStamp
from compliance.audit.sealing import seal_audit
from compliance.audit.stamping import first_wrong_stamp, stamp_audit
from compliance.checks import time_stamps_can_be_checked
from compliance.database import prepared
from tests.compliance.test_audit import behind_the_triggers, tell

pytestmark = pytest.mark.django_db

CONFIG = """
[tsa]
default_tsa = ours
[ours]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def certify(folder: Path, name: str, *, by: str = "") -> None:
    """A certificate of an authority's own, or of its time-stamp service."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = subject, key
    if by:
        above = x509.load_pem_x509_certificate((folder / f"{by}.pem").read_bytes())
        issuer = above.subject
        signer = stamping_key(folder, by)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=not by, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=bool(by), content_commitment=bool(by), key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=not by,
                crl_sign=not by, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if by:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        made = made.add_extension(usage, critical=True)
    certificate = made.sign(signer, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def stamping_key(folder: Path, name: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


class Authority(http.server.BaseHTTPRequestHandler):
    """`openssl ts -reply` behind HTTP, or something worse."""

    folder: Path
    mood = "good"
    last = b""

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/timestamp-query"
        body = self.reply(query)
        self.send_response({"down": 503, "moved": 302}.get(self.mood, 200))
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply(self, query: bytes) -> bytes:
        kind = type(self)
        if self.mood == "nonsense":
            return b"<html>"
        if self.mood == "endless":
            return b"x" * 70_000
        if self.mood == "replay":
            return kind.last
        (self.folder / "query").write_bytes(query)
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query",
             "-out", "answer"],
            cwd=self.folder, check=True, capture_output=True, timeout=20,
        )  # fmt: skip
        kind.last = (self.folder / "answer").read_bytes()
        return kind.last

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def tsa(tmp_path, settings) -> Iterator[type[Authority]]:
    certify(tmp_path, "ca")
    certify(tmp_path, "tsa", by="ca")
    certify(tmp_path, "other")
    (tmp_path / "tsa.cnf").write_text(CONFIG)
    (tmp_path / "serial").write_text("01\n")
    Authority.folder, Authority.mood, Authority.last = tmp_path, "good", b""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authority)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.TSA_URL = f"http://127.0.0.1:{server.server_port}/"
    settings.TSA_CERTIFICATE = str(tmp_path / "ca.pem")
    yield Authority
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def block(db) -> AuditBlock:
    tell("1")
    seal_audit()
    return AuditBlock.objects.get()


def test_the_newest_block_is_stamped_once(tsa, block, capsys):
    assert [stamp_audit(), stamp_audit()] == [True, False]
    tell("2")
    seal_audit()
    assert stamp_audit()

    assert list(AuditStamp.objects.order_by("pk").values_list("pk", flat=True)) == [1, 2]
    assert first_wrong_stamp() is None
    call_command("verify_audit")
    assert "0 noted heads, 2 time stamps." in capsys.readouterr().out


def test_a_stamp_can_be_checked_with_openssl_alone(tsa, block, tmp_path):
    stamp_audit()
    (tmp_path / "stamp").write_bytes(bytes(AuditStamp.objects.get().token))
    (tmp_path / "hash").write_bytes(bytes(block.hash))

    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", "hash", "-in", "stamp", "-CAfile", "ca.pem"],
        cwd=tmp_path, check=False, capture_output=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mood", ["down", "moved", "nonsense", "endless"])
def test_a_bad_authority_stops_nothing(tsa, block, mood, caplog):
    tsa.mood = mood

    assert stamp_audit() is False
    assert "was not time-stamped" in caplog.text
    assert AuditStamp.objects.count() == 0
    tell("2")
    assert seal_audit() == 1


def test_an_old_answer_is_not_taken_for_a_new_one(tsa, block):
    stamp_audit()
    tell("2")
    seal_audit()
    tsa.mood = "replay"

    assert stamp_audit() is False


def test_an_authority_that_is_not_ours_is_not_believed(tsa, block, settings, tmp_path):
    settings.TSA_CERTIFICATE = str(tmp_path / "other.pem")

    assert stamp_audit() is False


def test_nobody_is_asked_without_an_authority_or_a_block(tsa, settings, db):
    assert stamp_audit() is False
    tell("1")
    seal_audit()
    settings.TSA_URL = ""
    assert stamp_audit() is False


def test_an_authority_that_is_not_there_stops_nothing(tsa, block, settings):
    settings.TSA_URL = "http://127.0.0.1:9/"

    assert stamp_audit() is False


class TestTampering:
    """What the database's owner does after a stamp."""

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE compliance_auditstamp SET block = 9",
            "UPDATE compliance_auditstamp SET token = 'x'",
            "UPDATE compliance_auditstamp SET token = substr(token, 1, 300)",
            "UPDATE compliance_auditblock SET hash = root",
            "DELETE FROM compliance_auditblock",
        ],
    )
    def test_a_stamp_that_does_not_fit_its_block_is_named(self, tsa, block, change):
        stamp_audit()
        behind_the_triggers(change)

        assert first_wrong_stamp() in {1, 9}

    def test_the_command_says_so(self, tsa, block):
        stamp_audit()
        behind_the_triggers("UPDATE compliance_auditstamp SET token = 'x'")

        with pytest.raises(CommandError, match="time stamp of block 1 does not belong"):
            call_command("verify_audit")

    def test_without_the_certificate_it_says_that_nothing_was_checked(
        self, tsa, block, settings, capsys
    ):
        stamp_audit()
        settings.TSA_CERTIFICATE = ""
        call_command("verify_audit")
        assert "1 time stamps not checked" in capsys.readouterr().out

        settings.TSA_CERTIFICATE = "/gone.pem"
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("verify_audit")

    @pytest.mark.parametrize(
        "deed",
        [
            "UPDATE compliance_auditstamp SET token = token",
            "DELETE FROM compliance_auditstamp",
            "TRUNCATE compliance_auditstamp",
        ],
    )
    def test_stamps_cannot_be_changed_or_removed(self, tsa, block, deed):
        stamp_audit()
        with pytest.raises(IntegrityError, match="audit_stamp_append_only"), transaction.atomic():
            prepared(deed)


def test_settings_that_cannot_work_stop_the_start(tsa, settings):
    assert time_stamps_can_be_checked(None) == []
    good = settings.TSA_URL
    for address, file in [(good, ""), (good, "/gone.pem"), ("ftp://x", settings.TSA_CERTIFICATE)]:
        settings.TSA_URL, settings.TSA_CERTIFICATE = address, file
        assert [error.id for error in time_stamps_can_be_checked(None)] == ["compliance.E002"]
    settings.TSA_URL = ""
    assert time_stamps_can_be_checked(None) == []
    assert stamping.BYTES_MAX < 70_000
