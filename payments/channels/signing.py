"""RSA signatures and keys as the gateways use them. The hash is always ours to choose, never the
message's.
"""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

RSA_BITS_MIN: Final = 2048


class KeyUnusable(ValueError):
    """The text is not a usable RSA key. The message is a short code that says why."""


def private_key(text: str) -> RSAPrivateKey:
    """Load a private key once per process: PKCS#1 or PKCS#8, as PEM or as the bare base64 body."""
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.strip().encode(), password=None)
        else:
            key = load_der_private_key(_bare(text), password=None)
    except TypeError as error:
        raise KeyUnusable("has_password") from error
    except ValueError as error:
        raise KeyUnusable("not_a_private_key") from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnusable("not_rsa")
    if key.key_size < RSA_BITS_MIN:
        raise KeyUnusable("too_short")
    return key


def public_key(text: str) -> RSAPublicKey:
    """Load a public key: a PEM key, a PEM certificate, or the bare base64 body of a key."""
    try:
        if "BEGIN CERTIFICATE" in text:
            key: object = load_pem_x509_certificate(text.strip().encode()).public_key()
        elif "-----BEGIN" in text:
            key = load_pem_public_key(text.strip().encode())
        else:
            key = load_der_public_key(_bare(text))
    except ValueError as error:
        raise KeyUnusable("not_a_public_key") from error
    if not isinstance(key, RSAPublicKey):
        raise KeyUnusable("not_rsa")
    if key.key_size < RSA_BITS_MIN:
        raise KeyUnusable("too_short")
    return key


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """SHA-256 with RSA (PKCS#1 v1.5), in base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether `signature` (base64) is SHA-256 with RSA over exactly these bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _bare(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)
