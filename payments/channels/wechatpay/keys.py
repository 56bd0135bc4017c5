"""The keys by which WeChat Pay proves that a message is its own. Several are valid at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificates

from payments.channels.signing import RSA_BITS_MIN, KeyUnusable

PUBLIC_KEY_ID_PREFIX: Final = "PUB_KEY_ID_"
FOREVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformKey:
    """One key of WeChat Pay's: the public key (no end of life) or a certificate's."""

    serial: str
    key: RSAPublicKey
    valid_from: datetime
    valid_until: datetime


class KeyStore:
    """Platform keys by serial. Safe to read from any thread while another replaces them.

    A message can never change what is in here: an unknown serial is refused and nothing else.
    """

    def __init__(self, keys: Iterable[PlatformKey]) -> None:
        self._keys = _by_serial(keys)

    def find(self, serial: str, *, at: datetime) -> RSAPublicKey | None:
        """The key with this serial, unless it is unknown or not valid at that time."""
        found = self._keys.get(_comparable(serial))
        if found is None or not found.valid_from <= at <= found.valid_until:
            return None
        return found.key

    def newest(self, *, at: datetime) -> PlatformKey | None:
        """What to encrypt for WeChat Pay with: the public key, else the youngest certificate."""
        good = [key for key in self._keys.values() if key.valid_from <= at <= key.valid_until]
        return max(good, key=lambda key: (key.valid_until, key.valid_from), default=None)

    def replace(self, keys: Iterable[PlatformKey]) -> None:
        """Hold these keys from now on. The new set is complete before the old one goes."""
        replacement = _by_serial(keys)
        if not replacement:
            raise KeyUnusable("no_keys")
        self._keys = replacement


def from_public_key(key_id: str, key: RSAPublicKey) -> PlatformKey:
    """The platform's public key, named by the id that the merchant platform shows beside it."""
    return PlatformKey(serial=key_id, key=key, valid_from=FOREVER[0], valid_until=FOREVER[1])


def from_certificates(text: str) -> list[PlatformKey]:
    """Read one or more PEM certificates. Raises KeyUnusable."""
    try:
        certificates = load_pem_x509_certificates(text.strip().encode())
    except ValueError as error:
        raise KeyUnusable("not_a_certificate") from error
    return [_from_certificate(certificate) for certificate in certificates]


def serial_of(certificate: Certificate) -> str:
    """A certificate's serial as WeChat Pay writes it: upper-case hex of whole bytes."""
    digits = f"{certificate.serial_number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _from_certificate(certificate: Certificate) -> PlatformKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise KeyUnusable("not_rsa")
    if key.key_size < RSA_BITS_MIN:
        raise KeyUnusable("too_short")
    return PlatformKey(
        serial=serial_of(certificate),
        key=key,
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
    )


def _by_serial(keys: Iterable[PlatformKey]) -> Mapping[str, PlatformKey]:
    return {_comparable(key.serial): key for key in keys}


def _comparable(serial: str) -> str:
    # A hex serial is a number: writers disagree about case and leading zeros. A key id is a name.
    if serial.startswith(PUBLIC_KEY_ID_PREFIX):
        return serial
    return serial.upper().lstrip("0")
