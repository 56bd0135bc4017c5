"""What WeChat Pay offers, what an operator must fill in for it, and how that becomes a gateway."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payments.channels.base import (
    BadCredential,
    Connection,
    Credential,
    Device,
    Method,
    gettext_noop,
)
from payments.channels.http import GatewayHttp
from payments.channels.signing import KeyUnusable, private_key, public_key
from payments.channels.wechatpay.asking import H5, NATIVE
from payments.channels.wechatpay.calls import Caller, Clock, Nonce
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.channels.wechatpay.keys import (
    PUBLIC_KEY_ID_PREFIX,
    KeyStore,
    PlatformKey,
    from_certificates,
    from_public_key,
)
from payments.channels.wechatpay.proofs import Merchant

APIV3_KEY_BYTES: Final = 32

_MERCHANT: Final = re.compile(r"[0-9]{1,32}", re.ASCII)
_APP: Final = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_SERIAL: Final = re.compile(r"[0-9A-F]{1,40}", re.ASCII)
_KEY_ID: Final = re.compile(rf"{PUBLIC_KEY_ID_PREFIX}[0-9A-Za-z]{{1,64}}", re.ASCII)


def now() -> datetime:
    """The clock that is used unless a test brings its own."""
    return datetime.now(UTC)


def random_nonce() -> str:
    """32 characters that no request used before."""
    return secrets.token_hex(16).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatPay:
    """WeChat Pay for a merchant that connects directly (not through a service provider)."""

    name: ClassVar[str] = "wechatpay"
    label: ClassVar[str] = gettext_noop("WeChat Pay")
    hosts: ClassVar[frozenset[str]] = frozenset({
        "api.mch.weixin.qq.com",
        "api2.mch.weixin.qq.com",
    })  # fmt: skip
    base_url: ClassVar[str] = "https://api.mch.weixin.qq.com"
    credentials: ClassVar[tuple[Credential, ...]] = (
        Credential(name="mchid", label=gettext_noop("Merchant number (mchid)")),
        Credential(name="appid", label=gettext_noop("App id (appid)")),
        Credential(name="merchant_serial", label=gettext_noop("Merchant certificate serial")),
        Credential(
            name="merchant_private_key",
            label=gettext_noop("Merchant private key"),
            kind="private_key",
            is_secret=True,
        ),
        Credential(
            name="apiv3_key", label=gettext_noop("APIv3 key"), kind="secret", is_secret=True
        ),
        Credential(
            name="platform_public_key_id",
            label=gettext_noop("WeChat Pay public key id"),
            is_required=False,
        ),
        Credential(
            name="platform_public_key",
            label=gettext_noop("WeChat Pay public key"),
            kind="public_key",
            is_required=False,
        ),
        Credential(
            name="platform_certificate",
            label=gettext_noop("WeChat Pay platform certificates"),
            kind="certificate",
            is_required=False,
        ),
    )
    methods: ClassVar[tuple[Method, ...]] = (
        Method(
            code="wechatpay",
            label=gettext_noop("WeChat Pay"),
            hint=gettext_noop("Scan the code or pay in WeChat"),
            products={Device.DESKTOP: NATIVE, Device.PHONE: H5},
        ),
    )

    clock: Clock = now
    nonce: Nonce = random_nonce

    def connect(self, connection: Connection, http: GatewayHttp) -> WeChatPayGateway:
        """Check and parse everything once. Raises BadCredential."""
        given = {name: text.strip() for name, text in connection.credentials.items()}
        number = _matching(given, "mchid", _MERCHANT)
        platform_keys = _platform_keys(given)
        caller = Caller(
            http=http,
            base_url=connection.base_url,
            merchant=Merchant(
                number=number, serial=_merchant_serial(given), key=_merchant_key(given)
            ),
            keys=KeyStore(platform_keys),
            answer_serial=given.get("platform_public_key_id", ""),
            clock=self.clock,
            nonce=self.nonce,
        )
        return WeChatPayGateway(
            merchant_number=number,
            app_number=_matching(given, "appid", _APP),
            caller=caller,
            cipher=AESGCM(_apiv3_key(given)),
        )


def _required(given: Mapping[str, str], name: str) -> str:
    text = given.get(name, "")
    if not text:
        raise BadCredential(name, "missing")
    return text


def _matching(given: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    text = _required(given, name)
    if not pattern.fullmatch(text):
        raise BadCredential(name, "malformed")
    return text


def _merchant_serial(given: Mapping[str, str]) -> str:
    tidy = _required(given, "merchant_serial").replace(":", "").replace(" ", "").upper()
    return _matching({"merchant_serial": tidy}, "merchant_serial", _SERIAL)


def _merchant_key(given: Mapping[str, str]) -> RSAPrivateKey:
    name = "merchant_private_key"
    try:
        return private_key(_required(given, name))
    except KeyUnusable as error:
        raise BadCredential(name, str(error)) from error


def _apiv3_key(given: Mapping[str, str]) -> bytes:
    text = _required(given, "apiv3_key")
    if not text.isascii() or len(text) != APIV3_KEY_BYTES:
        raise BadCredential("apiv3_key", "not_32_ascii_bytes")
    return text.encode()


def _platform_keys(given: Mapping[str, str]) -> list[PlatformKey]:
    """Every platform key we were given; both kinds at once while a merchant changes over."""
    keys: list[PlatformKey] = []
    if given.get("platform_public_key") or given.get("platform_public_key_id"):
        key_id = _matching(given, "platform_public_key_id", _KEY_ID)
        try:
            key = public_key(_required(given, "platform_public_key"))
        except KeyUnusable as error:
            raise BadCredential("platform_public_key", str(error)) from error
        keys.append(from_public_key(key_id, key))
    if text := given.get("platform_certificate"):
        try:
            keys += from_certificates(text)
        except KeyUnusable as error:
            raise BadCredential("platform_certificate", str(error)) from error
    if not keys:
        raise BadCredential("platform_public_key", "missing")
    return keys
