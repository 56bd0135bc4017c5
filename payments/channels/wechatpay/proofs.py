"""What is signed and how it is checked, of our requests and of WeChat Pay's messages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.channels.base import NotAuthentic
from payments.channels.signing import is_signed, sign
from payments.channels.wechatpay.keys import KeyStore

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
AGE_SECONDS_MAX: Final = 300
PROBE_PREFIX: Final = "WECHATPAY/SIGNTEST/"
"""WeChat Pay sends wrong signatures on purpose and reports who accepts them."""

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who signs our requests."""

    number: str
    serial: str
    key: RSAPrivateKey

    def authorization(
        self, method: str, target: bytes, body: bytes, *, at: datetime, nonce: str
    ) -> str:
        """The Authorization header for a request with exactly this target and body."""
        timestamp = str(int(at.timestamp()))
        signature = sign(self.key, request_text(method, target, timestamp, nonce, body))
        return (
            f'{SCHEME} mchid="{self.number}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}"'
        )


def request_text(method: str, target: bytes, timestamp: str, nonce: str, body: bytes) -> bytes:
    """The five lines of a request that are signed; every one ends with a line feed."""
    head = (method.encode(), target, timestamp.encode(), nonce.encode())
    return b"".join(line + b"\n" for line in (*head, body))


def message_text(timestamp: str, nonce: str, body: bytes) -> bytes:
    """The three lines of an answer or notification that are signed. No body is an empty line."""
    head = (timestamp.encode(errors="replace"), nonce.encode(errors="replace"))
    return b"".join(line + b"\n" for line in (*head, body))


def verify(headers: Mapping[str, str], body: bytes, keys: KeyStore, *, at: datetime) -> None:
    """Prove that these bytes came from WeChat Pay within the last minutes. Raises NotAuthentic.

    Headers have lower-case names. Nothing of the body is parsed before this has returned.
    """
    serial, timestamp, nonce, signature = (
        headers.get(f"wechatpay-{part}", "")
        for part in ("serial", "timestamp", "nonce", "signature")
    )
    if not (serial and timestamp and nonce and signature):
        raise NotAuthentic("unsigned")
    key = keys.find(serial, at=at)
    if key is None:
        raise NotAuthentic("unknown_key")
    if not _is_fresh(timestamp, at):
        raise NotAuthentic("stale")
    if signature.startswith(PROBE_PREFIX):
        raise NotAuthentic("probe")
    is_our_scheme = headers.get("wechatpay-signature-type", SCHEME) == SCHEME
    if not is_our_scheme or not is_signed(key, message_text(timestamp, nonce, body), signature):
        raise NotAuthentic("bad_signature")


def _is_fresh(timestamp: str, at: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    return abs(at.timestamp() - int(timestamp)) <= AGE_SECONDS_MAX
