"""Keys of the sandbox gateways: made once, kept in the database, parsed once per process."""

from collections.abc import Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.db import transaction

from payments.channels.sandbox.models import SandboxGateway
from payments.channels.sandbox.speaker import Speaker


def keys_of(speaker: Speaker) -> Mapping[str, str]:
    """The gateway's key material, made on first use. Safe to call from many processes at once."""
    row = SandboxGateway.objects.filter(gateway=speaker.name).first()
    if row is not None and row.keys:
        return dict(row.keys)
    with transaction.atomic():
        SandboxGateway.objects.get_or_create(gateway=speaker.name)
        row = SandboxGateway.objects.select_for_update().get(gateway=speaker.name)
        if not row.keys:
            row.keys = speaker.make_keys()
            row.save(update_fields=["keys"])
        return dict(row.keys)


def new_pair() -> tuple[str, str]:
    """A fresh RSA-2048 pair as PEM texts: PKCS#8 private, SubjectPublicKeyInfo public."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return private_text(key), public_text(key.public_key())


def private_text(key: RSAPrivateKey) -> str:
    """A private key as PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_text(key: RSAPublicKey) -> str:
    """A public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=64)
def private(pem: str) -> RSAPrivateKey:
    """Parse a private key; remembered, because parsing costs more than signing."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key


@lru_cache(maxsize=64)
def public(pem: str) -> RSAPublicKey:
    """Parse a public key; remembered."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("not an RSA key")
    return key
