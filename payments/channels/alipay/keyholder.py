"""The keys of one connection: ours to sign with, Alipay's to check with, in either mode."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtensionNotFound,
    load_pem_x509_certificate,
)
from cryptography.x509.oid import NameOID

from payments.channels import signing
from payments.channels.base import BadCredential

RSA_OIDS: Final = "1.2.840.113549.1.1."
CHAIN_MAX: Final = 5

_END: Final = "-----END CERTIFICATE-----"
_SHORT_NAMES: Final = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.COUNTRY_NAME: "C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyholder:
    """Keys, parsed. `named` are the extra public parameters that certificate mode wants signed."""

    private: RSAPrivateKey = field(repr=False)
    alipay: Mapping[str, RSAPublicKey] = field(repr=False)
    """Alipay's keys by certificate serial; "" in public-key mode."""
    named: Mapping[str, str]

    def sign(self, message: bytes) -> str:
        """Our signature over these bytes."""
        return signing.sign(self.private, message)

    def candidates(self, certificate_sn: str) -> list[RSAPublicKey]:
        """The keys that may have signed a message naming this serial ("" when it names none)."""
        if "" in self.alipay:
            return [self.alipay[""]]
        if certificate_sn:
            return [self.alipay[certificate_sn]] if certificate_sn in self.alipay else []
        return list(self.alipay.values())


def load(credentials: Mapping[str, str]) -> Keyholder:
    """Certificate mode when an application certificate is given, else public-key mode.

    Raises BadCredential.
    """
    private = _private(credentials)
    if credentials.get("app_cert", "").strip():
        return _by_certificates(credentials, private)
    text = credentials.get("alipay_public_key", "")
    if not text.strip():
        raise BadCredential("alipay_public_key", "missing")
    try:
        key = signing.public_key(text)
    except signing.KeyUnusable as error:
        raise BadCredential("alipay_public_key", str(error)) from error
    if key.public_numbers() == private.public_key().public_numbers():
        raise BadCredential("alipay_public_key", "is_our_own_key")
    return Keyholder(private=private, alipay={"": key}, named={})


def _private(credentials: Mapping[str, str]) -> RSAPrivateKey:
    try:
        return signing.private_key(credentials.get("app_private_key", ""))
    except signing.KeyUnusable as error:
        raise BadCredential("app_private_key", str(error)) from error


def _by_certificates(credentials: Mapping[str, str], private: RSAPrivateKey) -> Keyholder:
    ours = _certificates(credentials, "app_cert")[0]
    if ours.public_key() != private.public_key():
        raise BadCredential("app_cert", "not_for_this_key")
    roots = _certificates(credentials, "alipay_root_cert")
    pool = _certificates(credentials, "alipay_cert")
    keys: dict[str, RSAPublicKey] = {}
    for certificate in pool:
        key = certificate.public_key()
        if _is_authority(certificate) or not isinstance(key, RSAPublicKey):
            continue
        if not _leads_to_root(certificate, pool, roots):
            raise BadCredential("alipay_cert", "not_issued_by_root")
        keys[serial(certificate)] = key
    if not keys:
        raise BadCredential("alipay_cert", "holds_no_rsa_key")
    return Keyholder(
        private=private,
        alipay=keys,
        named={"app_cert_sn": serial(ours), "alipay_root_cert_sn": root_serial(roots)},
    )


def serial(certificate: Certificate) -> str:
    """Alipay's name for a certificate: MD5 of its issuer, innermost part first, and its number."""
    issuer = certificate.issuer.rfc4514_string(_SHORT_NAMES)
    text = f"{issuer}{certificate.serial_number}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_serial(roots: list[Certificate]) -> str:
    """Alipay's name for a bundle of roots: the serials of those that are signed with RSA."""
    return "_".join(
        serial(root)
        for root in roots
        if root.signature_algorithm_oid.dotted_string.startswith(RSA_OIDS)
    )


def _certificates(credentials: Mapping[str, str], name: str) -> list[Certificate]:
    """Every certificate of a bundle that can be read; real bundles hold some that cannot."""
    found = []
    for text in credentials.get(name, "").split(_END)[:-1]:
        start = text.find("-----BEGIN CERTIFICATE-----")
        try:
            found.append(load_pem_x509_certificate(f"{text[start:]}{_END}\n".encode()))
        except ValueError:
            continue
    if not found:
        raise BadCredential(name, "not_a_certificate")
    return found


def _is_authority(certificate: Certificate) -> bool:
    """Whether it issues certificates and therefore signs no messages."""
    try:
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    except ExtensionNotFound:
        return False


def _leads_to_root(
    certificate: Certificate, pool: list[Certificate], roots: list[Certificate]
) -> bool:
    at = certificate
    for _ in range(CHAIN_MAX):
        if any(_issued(root, at) for root in roots):
            return True
        above = next((c for c in pool if c != at and _issued(c, at)), None)
        if above is None:
            return False
        at = above
    return False


def _issued(issuer: Certificate, certificate: Certificate) -> bool:
    key, hashing = issuer.public_key(), certificate.signature_hash_algorithm
    if issuer.subject != certificate.issuer or not isinstance(key, RSAPublicKey) or not hashing:
        return False
    try:
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, PKCS1v15(), hashing)
    except InvalidSignature:
        return False
    return True
