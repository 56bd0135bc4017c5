"""Whom we believe to be UnionPay: a certificate that our pinned root and middle vouch for.

A message brings the certificate it was signed with. That certificate proves nothing by itself:
anybody can make one with UnionPay's name in it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, InvalidVersion, NameOID, load_pem_x509_certificate

from payments.channels.base import NotAuthentic
from payments.channels.signing import RSA_BITS_MIN, is_signed
from payments.channels.unionpay.message import digest

VERSION: Final = "5.1.0"
SIGN_METHOD: Final = "01"
HOLDERS: Final = frozenset({"中国银联股份有限公司", "00040000:SIGN"})
"""What the third part of the holder's name may be; the latter is UnionPay in older certificates."""
HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
PEM_CHARACTERS_MAX: Final = 8192
KEPT_MAX: Final = 16


class BadCertificate(ValueError):
    """A pinned or own certificate cannot be used. The message is a short code that says why."""


class Chain:
    """The pinned root and middle, and the leaves already found good. Safe for threads."""

    def __init__(self, *, root: Certificate, middle: Certificate) -> None:
        """Raises BadCertificate when the root did not issue the middle certificate."""
        rsa_key(middle)
        if not _is_issued(middle, by=root, hashes=_hashes_of(middle)):
            raise BadCertificate("not_issued_by_root")
        self._root = root
        self._middle = middle
        # The test environment's certificates are SHA-1. What the operator pinned decides whether
        # that is enough; a message has no say in it.
        self._hashes = HASHES | _hashes_of(middle)
        self._kept: dict[bytes, tuple[Certificate, RSAPublicKey]] = {}

    def key_of(self, pem: str, *, at: datetime) -> RSAPublicKey:
        """The key of a certificate that is UnionPay's at this time. Raises NotAuthentic."""
        fingerprint = hashlib.sha256(pem.encode()).digest()
        kept = self._kept.get(fingerprint)
        if kept is None:
            kept = self._check(pem)
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[fingerprint] = kept
        leaf, key = kept
        for link in (leaf, self._middle, self._root):
            if not link.not_valid_before_utc <= at <= link.not_valid_after_utc:
                raise NotAuthentic("unknown_key")
        return key

    def _check(self, pem: str) -> tuple[Certificate, RSAPublicKey]:
        """Everything about a leaf that does not change with time. Only good ones are kept."""
        # Parts of a certificate are parsed when they are looked at, and a forged part may break the
        # parser in many ways. So nothing is looked at before the issuer's signature was good.
        try:
            if len(pem) > PEM_CHARACTERS_MAX:
                raise BadCertificate("too_large")
            leaf = certificate(pem)
            is_issued = _is_issued(leaf, by=self._middle, hashes=self._hashes)
            is_good = is_issued and _is_held_by_unionpay(leaf)
            key = rsa_key(leaf) if is_good else None
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise NotAuthentic("unknown_key") from error
        if key is None:
            raise NotAuthentic("unknown_key")
        return leaf, key


def require_authentic(fields: Mapping[str, str], chain: Chain, *, at: datetime) -> None:
    """Refuse a message that UnionPay did not sign. Version and method are ours to choose.

    Version 5.0.0 is SHA-1 and methods 11 and 12 are keyed hashes: believing what a message says of
    itself would let it pick the weakest. Raises NotAuthentic.
    """
    signature, pem = fields.get("signature", ""), fields.get("signPubKeyCert", "")
    if not signature or not pem:
        raise NotAuthentic("unsigned")
    if (fields.get("version"), fields.get("signMethod")) != (VERSION, SIGN_METHOD):
        raise NotAuthentic("bad_signature")
    if not is_signed(chain.key_of(pem, at=at), digest(fields), signature):
        raise NotAuthentic("bad_signature")


def certificate(pem: str) -> Certificate:
    """Load one PEM certificate. Raises BadCertificate."""
    if pem.count("-----BEGIN") != 1:
        raise BadCertificate("not_a_certificate")
    try:
        return load_pem_x509_certificate(pem.strip().encode())
    except (ValueError, InvalidVersion) as error:
        raise BadCertificate("not_a_certificate") from error


def rsa_key(owner: Certificate) -> RSAPublicKey:
    """The certificate's key. Raises BadCertificate unless it is RSA of 2048 bits or more."""
    try:
        key = owner.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate("not_rsa") from error
    if not isinstance(key, RSAPublicKey):
        raise BadCertificate("not_rsa")
    if key.key_size < RSA_BITS_MIN:
        raise BadCertificate("too_short")
    return key


def _hashes_of(issued: Certificate) -> frozenset[str]:
    algorithm = issued.signature_hash_algorithm
    return frozenset() if algorithm is None else frozenset({algorithm.name})


def _is_issued(issued: Certificate, *, by: Certificate, hashes: frozenset[str]) -> bool:
    # `verify_directly_issued_by` refuses SHA-1 whatever was pinned, so this is done by hand.
    algorithm = issued.signature_hash_algorithm
    if algorithm is None or algorithm.name not in hashes:
        return False
    try:
        rsa_key(by).verify(issued.signature, issued.tbs_certificate_bytes, PKCS1v15(), algorithm)
    except (InvalidSignature, BadCertificate):
        return False
    return issued.issuer == by.subject


def _is_held_by_unionpay(leaf: Certificate) -> bool:
    """The common name is `code@organisation@holder@number`."""
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        return False
    match str(names[0].value).split("@"):
        case [_, _, held_by, _]:
            return held_by in HOLDERS
        case _:
            return False
