"""Makes and signs the message of a callback (Standard Webhooks)."""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  a prefix, not a secret


@dataclass(frozen=True, slots=True)
class Message:
    """The exact bytes and headers of one try."""

    body: bytes
    headers: Mapping[str, str]


def body_of(*, event: str, kind: str, created_at: str, data: Mapping[str, Any]) -> bytes:
    """The JSON of an event, byte for byte the same at every try."""
    document = {"id": event, "type": kind, "created_at": created_at, "data": {"object": data}}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign(body: bytes, *, event: str, at: datetime, secrets: Sequence[str]) -> Message:
    """Sign with every secret that is valid now; several while one replaces another."""
    timestamp = str(int(at.timestamp()))
    signed = f"{event}.{timestamp}.".encode() + body
    signatures = " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)
    return Message(
        body,
        {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "paysite-callbacks",
            "webhook-id": event,
            "webhook-timestamp": timestamp,
            "webhook-signature": signatures,
        },
    )


def _signature(secret: str, message: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()
