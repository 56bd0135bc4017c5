"""A passkey in software, that answers as it is told: rightly, or with a lie."""

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class SoftKey:
    """One credential on one device."""

    origin: str
    host: str = "localhost"
    count: int = 0
    number: bytes = field(default_factory=lambda: os.urandom(32))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def enrol(self, question: dict[str, Any], *, flags: int = PRESENT | VERIFIED) -> dict[str, Any]:
        """What the device says when it becomes a passkey."""
        point = self.private.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        body = bytes(16) + struct.pack(">H", len(self.number)) + self.number + cbor2.dumps(key)
        told = {"fmt": "none", "attStmt": {}, "authData": self._data(flags | ATTESTED) + body}
        return self._answer({
            "attestationObject": text(cbor2.dumps(told)),
            "clientDataJSON": text(self._client("webauthn.create", question["challenge"])),
        })  # fmt: skip

    def sign(self, question: dict[str, Any], *, flags: int = PRESENT | VERIFIED) -> dict[str, Any]:
        """What the device says to prove who is there."""
        self.count += 1
        data, client = self._data(flags), self._client("webauthn.get", question["challenge"])
        signature = self.private.sign(
            data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        return self._answer({
            "authenticatorData": text(data), "clientDataJSON": text(client),
            "signature": text(signature), "userHandle": None,
        })  # fmt: skip

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, deed: str, challenge: str) -> bytes:
        told = {"type": deed, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": text(self.number), "rawId": text(self.number), "type": "public-key",
            "response": response, "clientExtensionResults": {},
        }  # fmt: skip
