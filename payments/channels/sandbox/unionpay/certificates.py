"""A chain shaped like UnionPay's: root, middle, UnionPay's own certificate and a merchant's."""

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from payments.channels.sandbox import keyring

MERCHANT: Final = "777000000000001"
HOLDER: Final = "041@8310000000083040@中国银联股份有限公司@00016495"
MERCHANT_HOLDER: Final = f"041@{MERCHANT}@Paysite sandbox merchant@00000001"
PAST: Final = timedelta(days=3 * 365)
LIFE: Final = timedelta(days=20 * 365)


class Authority:
    """Somebody who issues certificates: a name, a key, a certificate of its own."""

    def __init__(self, name: str, issuer: "Authority | None" = None) -> None:
        self.key = new_key()
        self.subject = _name(name)
        by = issuer or self
        self.certificate = by.issue(self.subject, self.key, may_issue=True)

    def issue(
        self,
        subject: x509.Name,
        key: RSAPrivateKey,
        *,
        may_issue: bool = False,
        until: datetime | None = None,
    ) -> x509.Certificate:
        """Certify that `key` is `subject`'s, from three years ago on."""
        now = datetime.now(UTC)
        constraints = x509.BasicConstraints(ca=may_issue, path_length=None)
        usage = x509.KeyUsage(
            digital_signature=not may_issue, key_cert_sign=may_issue, crl_sign=may_issue,
            content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number() >> 96)
            .not_valid_before(now - PAST)
            .not_valid_after(until or now + LIFE)
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, SHA256())
        )


def holder(common_name: str) -> x509.Name:
    """The subject of a certificate that does not issue others."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox OCA"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Enterprises"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def new_key() -> RSAPrivateKey:
    """A fresh RSA-2048 key."""
    return keyring.private(keyring.new_pair()[0])


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def make_keys() -> dict[str, str]:
    """A root, a middle, and what UnionPay and its one merchant hold under them."""
    root = Authority("Sandbox Root CA")
    middle = Authority("Sandbox OCA", root)
    gateway, merchant = new_key(), new_key()
    return {
        "mer_id": MERCHANT,
        "root_certificate": pem(root.certificate),
        "middle_certificate": pem(middle.certificate),
        "gateway_private_key": keyring.private_text(gateway),
        "gateway_certificate": pem(middle.issue(holder(HOLDER), gateway)),
        "merchant_private_key": keyring.private_text(merchant),
        "merchant_certificate": pem(middle.issue(holder(MERCHANT_HOLDER), merchant)),
    }


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
