"""WeChat Pay's own keys and letters, and where it sends a payer's browser."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from django.urls import URLPattern

from payments.channels.sandbox import keyring
from payments.channels.sandbox.models import GatewayName, SandboxOrder, SandboxRefund
from payments.channels.sandbox.speaker import Letter, WayBack
from payments.channels.sandbox.wechatpay import wire
from payments.channels.sandbox.wechatpay.showing import (
    REFUND_STATES,
    rfc3339,
    show_order,
    show_refund_notice,
)
from payments.channels.sandbox.wechatpay.views import patterns
from payments.channels.sandbox.wechatpay.wire import KeyMode

MERCHANT: Final = "1900000109"
APP: Final = "wx8888888888888888"
PUBLIC_KEY_ID: Final = "PUB_KEY_ID_0119000001092024112300181899000001"
CERTIFICATE_SERIAL: Final = 0x0A7F3C11B2D04E5F98A1C6D37E42B90153F86C2D
"""Fixed, like the id above, so that a stranger's keys bear the same names and still fail."""
CERTIFICATE_LIFE: Final = timedelta(days=5 * 365)
MINUTE: Final = 60
HOUR: Final = 3600
ACCEPTED: Final = frozenset({200, 204})


class WeChatPaySpeaker:
    """Fulfils `Speaker`."""

    name: ClassVar[str] = GatewayName.WECHATPAY.value
    label: ClassVar[str] = "WeChat Pay"
    retry_gaps: ClassVar[Sequence[int]] = (
        15, 15, 30, 3 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE,
        HOUR, 3 * HOUR, 3 * HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR,
    )  # fmt: skip

    def __init__(self) -> None:
        self.urlpatterns: Sequence[URLPattern] = patterns(self)

    def make_keys(self) -> dict[str, str]:
        """A merchant's pair, and both kinds of the gateway's own keys."""
        merchant_private, merchant_public = keyring.new_pair()
        platform_private, platform_public = keyring.new_pair()
        certificate_private, _ = keyring.new_pair()
        return {
            "mchid": MERCHANT,
            "appid": APP,
            "merchant_serial": secrets.token_hex(20).upper(),
            "merchant_private_key": merchant_private,
            "merchant_public_key": merchant_public,
            "apiv3_key": secrets.token_hex(16),
            "platform_public_key_id": PUBLIC_KEY_ID,
            "platform_private_key": platform_private,
            "platform_public_key": platform_public,
            "certificate_serial": f"{CERTIFICATE_SERIAL:040X}",
            "certificate_private_key": certificate_private,
            "certificate": _certificate(certificate_private),
        }

    def credentials(self, keys: Mapping[str, str]) -> dict[str, str]:
        """What a merchant holds who may meet either kind of key."""
        held = (
            "mchid", "appid", "merchant_serial", "merchant_private_key", "apiv3_key",
            "platform_public_key_id", "platform_public_key",
        )  # fmt: skip
        return {name: keys[name] for name in held} | {"platform_certificate": keys["certificate"]}

    def payment_notice(
        self, order: SandboxOrder, keys: Mapping[str, str], *, notice_id: str, at: datetime
    ) -> Letter:
        """TRANSACTION.SUCCESS. The state is that of the payment, whatever was refunded since."""
        inside = show_order(order) | {"trade_state": "SUCCESS", "trade_state_desc": "支付成功"}
        return _letter(
            keys,
            order,
            {
                "id": notice_id,
                "create_time": rfc3339(order.paid_at or at),
                "resource_type": "encrypt-resource",
                "event_type": "TRANSACTION.SUCCESS",
                "summary": "支付成功",
                "resource": _resource(keys, inside, "transaction"),
            },
            at,
        )

    def refund_notice(
        self, refund: SandboxRefund, keys: Mapping[str, str], *, notice_id: str, at: datetime
    ) -> Letter | None:
        """REFUND.SUCCESS, .ABNORMAL or .CLOSED; nothing while it is processing."""
        state = REFUND_STATES[refund.state]
        if state == "PROCESSING":
            return None
        return _letter(
            keys,
            refund.order,
            {
                "id": notice_id,
                "create_time": rfc3339(refund.created_at),
                "resource_type": "encrypt-resource",
                "event_type": f"REFUND.{state}",
                "summary": "退款通知",
                "resource": _resource(keys, show_refund_notice(refund), "refund"),
            },
            at,
        )

    def tamper(self, letter: Letter, what: str) -> Letter:
        """Spoil a letter. `probe` is WeChat Pay's own: a wrong signature sent to see who checks."""
        headers, body = dict(letter.headers), letter.body
        match what:
            case "signature":
                headers["Wechatpay-Signature"] = wire.spoiled(headers["Wechatpay-Signature"])
            case "probe":
                headers["Wechatpay-Signature"] = wire.PROBE + headers["Wechatpay-Signature"]
            case "unsigned":
                headers = {k: v for k, v in headers.items() if not k.startswith("Wechatpay-")}
            case "amount":
                # The amount is inside the ciphertext: who changes it there breaks the seal.
                members = json.loads(body)
                sealed = members["resource"]
                sealed["ciphertext"] = wire.spoiled(sealed["ciphertext"])
                body = wire.to_bytes(members)
            case _:
                raise ValueError(what)
        return Letter(headers=headers, body=body)

    def is_accepted(self, status: int, body: bytes) -> bool:
        """Only the status counts."""
        return status in ACCEPTED

    def way_back(self, order: SandboxOrder, keys: Mapping[str, str]) -> WayBack | None:
        """A phone's browser goes where `redirect_url` said; a scanned code leads nowhere."""
        if order.product != "h5" or not order.return_url:
            return None
        return WayBack(url=order.return_url)


def _letter(
    keys: Mapping[str, str], order: SandboxOrder, members: Mapping[str, Any], at: datetime
) -> Letter:
    """Signed with the kind of key that the merchant used when it opened the order."""
    body = wire.to_bytes(members)
    headers = wire.signature_headers(keys, KeyMode(order.fields["mode"]), body, at)
    return Letter(headers={"Content-Type": "application/json", **headers}, body=body)


def _resource(keys: Mapping[str, str], inside: Mapping[str, Any], kind: str) -> dict[str, str]:
    return wire.sealed(keys, wire.to_bytes(inside), kind) | {"original_type": kind}


def _certificate(private_pem: str) -> str:
    """A certificate of the gateway's, signed by itself: receivers pin it by its serial."""
    key, now = keyring.private(private_pem), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Sandbox WeChat Pay")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(CERTIFICATE_SERIAL)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


SPEAKER: Final = WeChatPaySpeaker()
