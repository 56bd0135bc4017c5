"""Signs a PDF (PAdES B-B) and checks a signature.

`REPORT_SIGNER` names a PKCS #12 file. Without one the demo makes an authority of its own, for
tests, and says so in the certificate's name.
"""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from compliance.reports.errors import ReportRefused

FIELD: Final = "Report"
DEMO_NAME: Final = "Paysite TEST authority, not for use"
DEMO_DAYS: Final = 3650
DEMO_PASSWORD: Final = b"demo"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed file, and whose certificate it was signed with."""

    content: bytes
    certificate: str


def sign(content: bytes, *, number: str, at: datetime) -> Signed:
    """Sign a PDF. Raises ReportRefused: no_signer. Outside transactions: it reads a key file."""
    signer = _signer()
    out = io.BytesIO()
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
        reason=number,
    )  # fmt: skip
    work = signers.PdfSigner(meta, signer=signer)
    _aside(lambda: work.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(content)), output=out))
    return Signed(out.getvalue(), _name_of(signer))


def is_intact(content: bytes) -> bool:
    """Whether the file carries our certificate's signature over every byte of it."""
    try:
        reader = PdfFileReader(io.BytesIO(content))
        [signature] = reader.embedded_regular_signatures
        trusted = ValidationContext(trust_roots=[_signer().signing_cert], allow_fetching=False)
        status = _aside(lambda: validate_pdf_signature(signature, trusted))
    except ReportRefused:
        raise
    except Exception:  # noqa: BLE001  a damaged file breaks its reader in any way it likes
        return False
    return bool(status.intact and status.valid and signature.coverage.name == "ENTIRE_FILE")


def _aside(work: Callable[[], Any]) -> Any:
    """pyHanko begins an event loop of its own, which a thread that has one does not allow."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def _name_of(signer: signers.SimpleSigner) -> str:
    certificate = signer.signing_cert
    return str(certificate.subject.human_friendly)[:200] if certificate else ""


def _signer() -> signers.SimpleSigner:
    path, password = settings.REPORT_SIGNER, settings.REPORT_SIGNER_PASSWORD.encode()
    if not path:
        if not settings.DEMO:
            raise ReportRefused("no_signer")
        path, password = str(_demo_file()), DEMO_PASSWORD
    return _loaded(path, password)


@cache
def _loaded(path: str, password: bytes) -> signers.SimpleSigner:
    try:
        signer: signers.SimpleSigner | None = signers.SimpleSigner.load_pkcs12(  # type: ignore[no-untyped-call]  # pyhanko leaves one argument untyped
            path, passphrase=password
        )
    except OSError:
        signer = None
    if signer is None:
        raise ReportRefused("no_signer")
    return signer


def _demo_file() -> Path:
    """The test authority's key, made once and kept beside the demo's other secrets."""
    path = Path(settings.DATA_DIR) / "report-test-signer.p12"
    if path.exists():
        return path
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEMO_NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DEMO_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    sealed = pkcs12.serialize_key_and_certificates(
        b"report", key, certificate, None, BestAvailableEncryption(DEMO_PASSWORD)
    )
    # Two workers may begin at once: the first file stays.
    mine = path.with_suffix(f".{x509.random_serial_number()}")
    mine.touch(mode=0o600)
    mine.write_bytes(sealed)
    with suppress(FileExistsError):
        path.hardlink_to(mine)
    mine.unlink()
    return path
