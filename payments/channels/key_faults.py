"""What is wrong with a key or certificate that somebody pasted, and how to mend it. Pure.

`signing` only says that a text is no key. An operator needs to know which wrong thing it is: the
gateways' tools hand out PKCS#1 and PKCS#8, with and without header lines, beside public keys,
requests and certificates that look alike.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificate

from payments.channels import signing
from payments.channels.base import gettext_noop

PASTED_MAX: Final = 64 * 1024
"""Characters; Alipay's bundle of roots, the longest honest text, is a tenth of it."""

MENDS: Final[Mapping[str, str]] = {
    "missing": gettext_noop("Nothing is filled in."),
    "too_long": gettext_noop("The text is far longer than a key. Paste only this one key."),
    "has_password": gettext_noop(
        "This key is locked with a password. Take the password off first: "
        "openssl pkey -in key.pem -out open.pem"
    ),
    "header_mismatch": gettext_noop(
        "The header line says another format than the text below it has (PKCS#1 is “BEGIN RSA "
        "PRIVATE KEY”, PKCS#8 is “BEGIN PRIVATE KEY”). Paste the text without both lines, or "
        "correct them."
    ),
    "header_broken": gettext_noop(
        "The first or the last line (“-----BEGIN …”, “-----END …”) is missing or broken. Copy the "
        "whole file, or only the text between the two lines."
    ),
    "escaped_lines": gettext_noop(
        "The line breaks were pasted as the two characters “\\n”. Replace them with real ones."
    ),
    "is_public_key": gettext_noop(
        "This is a public key. The private key is needed here: the file that was made together "
        "with it and never leaves the house."
    ),
    "is_private_key": gettext_noop(
        "This is a private key. It does not belong here: paste the public key or the certificate, "
        "and if the text was ever sent to anybody, make a new pair."
    ),
    "is_certificate": gettext_noop(
        "This is a certificate. The private key that belongs to it is needed here."
    ),
    "is_request": gettext_noop(
        "This is a request for a certificate (CSR). Send it to the gateway, and paste what comes "
        "back from it."
    ),
    "is_openssh": gettext_noop(
        'This is a key in OpenSSH\'s format. Convert it: ssh-keygen -p -m PKCS8 -N "" -f key'
    ),
    "not_text": gettext_noop(
        "This is neither a key in text form nor base64. A .pfx or .p12 file must be taken apart "
        "first: openssl pkcs12 -in file.pfx -nodes"
    ),
    "damaged": gettext_noop(
        "The text begins like a key but is cut off or changed. Copy it again, from the first "
        "character to the last."
    ),
    "not_rsa": gettext_noop("This is not an RSA key. The gateway signs with RSA: make an RSA key."),
    "too_short": gettext_noop("The key has fewer than 2048 bits. Make one with 2048 bits or more."),
    "wrong_pair": gettext_noop(
        "The private key and the certificate do not belong together. Paste the certificate that "
        "was issued for this key, or the key that it was issued for."
    ),
    "is_our_own_key": gettext_noop(
        "This is the public half of your own private key. The gateway's public key is needed here; "
        "its console shows it beside yours."
    ),
    "expired": gettext_noop("The certificate has expired. Fetch a new one from the gateway."),
    "not_yet_valid": gettext_noop(
        "The certificate is not valid yet. Wait, or use the present one."
    ),
    "not_a_certificate": gettext_noop(
        "This is not a certificate. A certificate begins with “-----BEGIN CERTIFICATE-----”."
    ),
    "not_issued_by_root": gettext_noop(
        "The certificate was not issued by the authority whose root certificate is filled in. Use "
        "the files of one download, and do not mix the gateway's test and real ones."
    ),
    "not_a_number": gettext_noop("Only digits are expected here."),
    "malformed": gettext_noop("The value does not look like what the gateway's console shows."),
    "not_a_merchant_number": gettext_noop("A merchant number has fifteen digits or letters."),
    "not_32_ascii_bytes": gettext_noop("The APIv3 key has exactly 32 letters and digits."),
    "unusable": gettext_noop("The gateway's program cannot use this value."),
}
"""How to mend each fault. A face translates the text when it shows it."""

SAME: Final[Mapping[str, str]] = {
    "not_for_this_key": "wrong_pair",
    "not_of_this_key": "wrong_pair",
    "holds_no_rsa_key": "not_rsa",
    "not_a_private_key": "damaged",
    "not_a_public_key": "damaged",
    "not_a_key": "damaged",
    "no_keys": "missing",
    "too_large": "too_long",
}
"""Problems that dialects name in their own words."""

_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_END: Final = re.compile(r"-----END ([A-Z0-9 ]+)-----")
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]{200,}")
"""So much of it is a key that lost something, not words."""
_LOCKED_HEADER: Final = "Proc-Type: 4,ENCRYPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFault:
    """What is wrong with a pasted value. `code` is stable; `mend` is an English msgid."""

    code: str

    @property
    def mend(self) -> str:
        """What it is, and what to do about it."""
        return MENDS.get(self.code, MENDS["unusable"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a page shows of a certificate. `serial` is upper-case hex, times are aware."""

    subject: str
    issuer: str
    serial: str
    valid_from: datetime
    valid_until: datetime
    fingerprint: str


def fault_of_problem(problem: str) -> KeyFault:
    """What a dialect's `BadCredential.problem` means."""
    code = SAME.get(problem, problem)
    return KeyFault(code=code if code in MENDS else "unusable")


def find_private_key_fault(text: str) -> KeyFault | None:
    """What keeps the text from being a usable private key; None when nothing does."""
    if fault := _shape_fault(text):
        return fault
    try:
        signing.private_key(text)
    except signing.KeyUnusable as unusable:
        return _named(text, str(unusable), wanted="private")
    except UnsupportedAlgorithm:
        return KeyFault(code="not_rsa")
    return None


def find_public_key_fault(text: str) -> KeyFault | None:
    """What keeps the text from being a usable public key (or a certificate that holds one)."""
    if fault := _shape_fault(text):
        return fault
    try:
        signing.public_key(text)
    except signing.KeyUnusable as unusable:
        return _named(text, str(unusable), wanted="public")
    except UnsupportedAlgorithm:
        return KeyFault(code="not_rsa")
    return None


def find_certificate_fault(text: str, *, at: datetime) -> KeyFault | None:
    """What keeps the text from being usable certificates at that time.

    One readable certificate is enough: bundles of roots hold some that no program here can read,
    and some that have ended long ago. A fault of time is one of all of them.
    """
    if fault := _shape_fault(text):
        return fault
    found = certificates_in(text)
    if not found:
        return _no_certificate(text)
    if any(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in found):
        return None
    is_over = any(one.not_valid_after_utc < at for one in found)
    return KeyFault(code="expired" if is_over else "not_yet_valid")


def find_pair_fault(private: str, other: str) -> KeyFault | None:
    """Whether a certificate (or public key) belongs to a private key. Both are usable by
    themselves.
    """
    ours = signing.private_key(private).public_key().public_numbers()
    if ours != signing.public_key(other).public_numbers():
        return KeyFault(code="wrong_pair")
    return None


def certificates_in(text: str) -> list[Certificate]:
    """Every certificate of the text that can be read."""
    found = []
    for match in _CERTIFICATE.finditer(text):
        try:
            found.append(load_pem_x509_certificate(match.group().encode()))
        except ValueError:
            continue
    return found


def facts_of_certificate(certificate: Certificate) -> CertificateFacts:
    """What to show of it."""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:X}",
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
        fingerprint=digest,
    )


def expires_at(text: str) -> datetime | None:
    """When the first certificate, which is the one that is used, ends; None without any."""
    found = certificates_in(text)
    return found[0].not_valid_after_utc if found else None


def key_fingerprint(key: RSAPublicKey) -> str:
    """SHA-256 over the public key in DER, in hex: the same for both halves of a pair."""
    body = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(body).hexdigest()


def _shape_fault(text: str) -> KeyFault | None:
    """Faults that can be seen without reading the key."""
    if not text.strip():
        return KeyFault(code="missing")
    if len(text) > PASTED_MAX:
        return KeyFault(code="too_long")
    if "\\n" in text:
        return KeyFault(code="escaped_lines")
    begins, ends = _BEGIN.findall(text), _END.findall(text)
    if begins != ends or ("-----" in text and not begins):
        return KeyFault(code="header_broken")
    return None


def _named(text: str, problem: str, *, wanted: str) -> KeyFault:
    """Name the wrong thing by its header, else by what its bytes are."""
    labels = _BEGIN.findall(text)
    if problem in {"not_rsa", "too_short"}:
        return KeyFault(code=problem)
    label = labels[0] if labels else ""
    by_label = _by_label(label, wanted=wanted)
    if _LOCKED_HEADER in text or problem == "has_password" or "ENCRYPTED" in label:
        return KeyFault(code="has_password" if wanted == "private" else "is_private_key")
    if by_label:
        return KeyFault(code=by_label)
    der = _der_of(text)
    if der is None:
        return KeyFault(code="damaged" if labels or _BASE64.fullmatch(text) else "not_text")
    thing = _thing_in(der)
    if thing == wanted:
        return KeyFault(code="header_mismatch" if labels else "damaged")
    told = {"private": "is_private_key", "public": "is_public_key"}
    if wanted == "private":
        told["certificate"] = "is_certificate"
    return KeyFault(code=told.get(thing, "damaged"))


def _by_label(label: str, *, wanted: str) -> str:
    if label == "OPENSSH PRIVATE KEY":
        return "is_openssh"
    if label.endswith("CERTIFICATE REQUEST"):
        return "is_request"
    if label == "CERTIFICATE" and wanted == "private":
        return "is_certificate"
    return ""


def _no_certificate(text: str) -> KeyFault:
    labels = _BEGIN.findall(text)
    if labels == ["CERTIFICATE"] or not labels:
        der = _der_of(text)
        if der is not None and _thing_in(der) == "certificate":
            return KeyFault(code="header_broken")
        if labels:
            return KeyFault(code="damaged")
    label = labels[0] if labels else ""
    if by_label := _by_label(label, wanted="certificate"):
        return KeyFault(code=by_label)
    if label.endswith("PRIVATE KEY"):
        return KeyFault(code="is_private_key")
    return KeyFault(code="not_a_certificate")


def _der_of(text: str) -> bytes | None:
    """The bytes between the header lines, or of a bare base64 body."""
    body = _END.sub("", _BEGIN.sub("", text))
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _thing_in(der: bytes) -> str:
    """private, public, certificate, or nothing that can be read."""
    try:
        load_der_private_key(der, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        pass
    else:
        return "private"
    try:
        load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        return "public"
    try:
        load_der_x509_certificate(der)
    except ValueError:
        return ""
    return "certificate"
