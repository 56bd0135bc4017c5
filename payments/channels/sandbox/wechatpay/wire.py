"""Signs, checks and encrypts as WeChat Pay does. Shares no code with the dialect it tests."""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from django.http import HttpRequest

from payments.channels.sandbox import keyring
from payments.channels.sandbox.models import SandboxNonce

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
CLOCKS_APART_SECONDS: Final = 300
NONCES_KEPT_SECONDS: Final = 900
PROBE: Final = "WECHATPAY/SIGNTEST/"

_PART: Final = re.compile(r'([a-z_]+)="([^"]*)"(?:,\s*|$)')


class KeyMode(StrEnum):
    """Which of its two kinds of key WeChat Pay signs with."""

    PUBLIC_KEY = "public_key"
    CERTIFICATE = "certificate"


class Refused(Exception):
    """An error answer in WeChat Pay's words."""

    def __init__(self, status: HTTPStatus, code: str, message: str, *, field: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.field = status, code, message, field

    def members(self) -> dict[str, Any]:
        """The answer's body; `detail` names the field where there is one to name."""
        said: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field:
            said["detail"] = {"field": f"/{self.field.replace('.', '/')}", "location": "body"}
        return said


def to_bytes(members: Mapping[str, Any]) -> bytes:
    """JSON with Chinese left readable, as WeChat Pay writes it."""
    return json.dumps(members, ensure_ascii=False).encode()


def authenticate(
    request: HttpRequest, keys: Mapping[str, str], at: datetime, *, part: str = ""
) -> None:
    """Check who calls, over the bytes that came in: of an upload, over its one named part only.

    Raises Refused.
    """
    said = request.POST.get(part, "").encode() if part else request.body
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    parts = dict(_PART.findall(rest))
    if scheme != SCHEME or not parts.keys() >= {
        "mchid", "nonce_str", "signature", "timestamp", "serial_no",
    }:  # fmt: skip
        raise _sign_error("Authorization 不合法")
    if parts["mchid"] != keys["mchid"] or parts["serial_no"] != keys["merchant_serial"]:
        raise _sign_error("商户证书序列号有误")
    stamp = parts["timestamp"]
    if not stamp.isdecimal() or abs(int(stamp) - at.timestamp()) > CLOCKS_APART_SECONDS:
        raise _sign_error("Http 头 Authorization 中的 timestamp 与发起请求的时间不得超过 5 分钟")
    signed = "\n".join((
        str(request.method), request.get_full_path(), stamp, parts["nonce_str"], "",
    )).encode() + said + b"\n"  # fmt: skip
    try:
        keyring.public(keys["merchant_public_key"]).verify(
            base64.b64decode(parts["signature"]), signed, padding.PKCS1v15(), SHA256()
        )
    except (InvalidSignature, ValueError) as error:
        raise _sign_error("签名错误") from error
    if not _use_up(parts["nonce_str"], at):
        raise _sign_error("请求重放")


def _use_up(nonce: str, at: datetime) -> bool:
    """Whether nobody has used this nonce lately. From now on it is used."""
    SandboxNonce.objects.filter(used_at__lt=at - timedelta(seconds=NONCES_KEPT_SECONDS)).delete()
    _, is_fresh = SandboxNonce.objects.get_or_create(word=nonce[:64], defaults={"used_at": at})
    return is_fresh


def answer_mode(request: HttpRequest, keys: Mapping[str, str]) -> KeyMode:
    """Which key the caller wants the answer to be signed with. Raises Refused."""
    wanted = request.headers.get("Wechatpay-Serial", "")
    if wanted == keys["platform_public_key_id"]:
        return KeyMode.PUBLIC_KEY
    if wanted in {"", keys["certificate_serial"]}:
        return KeyMode.CERTIFICATE
    raise Refused(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "Wechatpay-Serial 不存在")


def signature_headers(
    keys: Mapping[str, str], mode: KeyMode, body: bytes, at: datetime
) -> dict[str, str]:
    """The headers by which a receiver knows these bytes to be WeChat Pay's."""
    timestamp, nonce = str(int(at.timestamp())), secrets.token_urlsafe(24)
    serial, key = {
        KeyMode.PUBLIC_KEY: ("platform_public_key_id", "platform_private_key"),
        KeyMode.CERTIFICATE: ("certificate_serial", "certificate_private_key"),
    }[mode]
    text = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = keyring.private(keys[key]).sign(text, padding.PKCS1v15(), SHA256())
    return {
        "Wechatpay-Serial": keys[serial],
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Signature-Type": SCHEME,
    }


def spoiled(text: str) -> str:
    """The same bytes with one bit flipped; still good base64."""
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(data).decode()


def opened(keys: Mapping[str, str], mode: KeyMode, text: str) -> str:
    """What a merchant encrypted for WeChat Pay, under the key it named. Raises ValueError."""
    name = {
        KeyMode.PUBLIC_KEY: "platform_private_key", KeyMode.CERTIFICATE: "certificate_private_key",
    }[mode]  # fmt: skip
    # SHA-1 is what the interface prescribes for OAEP.
    way = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303
    sealed_bytes = base64.b64decode(text, validate=True)
    return keyring.private(keys[name]).decrypt(sealed_bytes, way).decode()


def sealed(keys: Mapping[str, str], data: bytes, associated: str) -> dict[str, str]:
    """Encrypt under the merchant's APIv3 key."""
    nonce = secrets.token_hex(6)
    ciphertext = AESGCM(keys["apiv3_key"].encode()).encrypt(
        nonce.encode(), data, associated.encode()
    )
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "associated_data": associated,
        "nonce": nonce,
    }


def _sign_error(message: str) -> Refused:
    return Refused(HTTPStatus.UNAUTHORIZED, "SIGN_ERROR", message)
