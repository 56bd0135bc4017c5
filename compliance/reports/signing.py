"""Has a PDF signed (PAdES B-B) and signatures checked, by a process of its own: see `signet`.

`REPORT_SIGNER` names a PKCS #12 file. Without one the demo makes an authority of its own, for
tests, and says so in the certificate's name.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

from compliance.reports.apart import ApartFailed, ask
from compliance.reports.errors import ReportRefused

SIGNET: Final = "compliance.reports.signet"
SECONDS_MAX: Final = 90.0
DEMO_NAME: Final = "Paysite TEST authority, not for use"
DEMO_DAYS: Final = 3650
DEMO_PASSWORD: Final = b"demo"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed file, and whose certificate it was signed with."""

    content: bytes
    certificate: str


def sign(content: bytes, *, number: str, at: datetime) -> Signed:
    """Sign a PDF. Raises ReportRefused: no_signer. Outside transactions: it reads a key file and
    waits for a process.
    """
    told, [signed] = _asked("sign", content, reason=number)
    return Signed(signed, told["certificate"])


def is_intact(content: bytes) -> bool:
    """Whether the file carries our certificate's signature over every byte of it. Raises
    ReportRefused: no_signer.
    """
    try:
        told, _nothing = _asked("check", content)
    except ApartFailed:
        return False  # It breaks whoever reads it.
    return bool(told["is_intact"])


def _asked(deed: str, content: bytes, *, reason: str = "") -> tuple[dict[str, Any], list[bytes]]:
    path, password = settings.REPORT_SIGNER, settings.REPORT_SIGNER_PASSWORD
    if not path:
        if not settings.DEMO:
            raise ReportRefused("no_signer")
        path, password = str(_demo_file()), DEMO_PASSWORD.decode()
    head = {
        "deed": deed, "reason": reason, "file": str(Path(path).absolute()), "password": password,
    }  # fmt: skip
    told, parts = ask(SIGNET, head, [content], seconds_max=SECONDS_MAX)
    if not told["has_signer"]:
        raise ReportRefused("no_signer")
    return told, parts


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
