"""Signs a PDF (PAdES B-B) or checks a signature. Runs as a program: see `apart`."""

import io
from typing import Final

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from compliance.reports.apart import Head, Parts, serve

FIELD: Final = "Report"
MEMORY_MAX: Final = 2 * 1024**3
CPU_SECONDS_MAX: Final = 60


def answer(head: Head, parts: Parts) -> tuple[Head, Parts]:
    """The signed file and whose certificate it was signed with, or whether a file is intact."""
    signer = _signer(head["file"], head["password"].encode())
    if signer is None:
        return {"has_signer": False}, []
    [content] = parts
    if head["deed"] == "check":
        return {"has_signer": True, "is_intact": _is_intact(content, signer)}, []
    signed = _signed(content, signer, reason=head["reason"])
    certificate = signer.signing_cert
    name = str(certificate.subject.human_friendly)[:200] if certificate else ""
    return {"has_signer": True, "certificate": name}, [signed]


def _signed(content: bytes, signer: signers.SimpleSigner, *, reason: str) -> bytes:
    out = io.BytesIO()
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
    )  # fmt: skip
    work = signers.PdfSigner(meta, signer=signer)
    work.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(content)), output=out)
    return out.getvalue()


def _is_intact(content: bytes, signer: signers.SimpleSigner) -> bool:
    try:
        reader = PdfFileReader(io.BytesIO(content))
        [signature] = reader.embedded_regular_signatures
        trusted = ValidationContext(trust_roots=[signer.signing_cert], allow_fetching=False)
        status = validate_pdf_signature(signature, trusted)
    except Exception:  # noqa: BLE001  a damaged file breaks its reader in any way it likes
        return False
    return bool(status.intact and status.valid and signature.coverage.name == "ENTIRE_FILE")


def _signer(file: str, password: bytes) -> signers.SimpleSigner | None:
    try:
        signer: signers.SimpleSigner | None = signers.SimpleSigner.load_pkcs12(  # type: ignore[no-untyped-call]  # pyhanko leaves one argument untyped
            file, passphrase=password
        )
    except OSError:
        return None
    return signer


if __name__ == "__main__":
    serve(answer, memory_max=MEMORY_MAX, cpu_seconds_max=CPU_SECONDS_MAX)
