"""UnionPay's own keys and letters, and where it sends a payer's browser."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from django.urls import URLPattern

from payments.channels.sandbox.models import GatewayName, SandboxOrder, SandboxRefund
from payments.channels.sandbox.speaker import Letter, WayBack
from payments.channels.sandbox.unionpay import certificates, wire
from payments.channels.sandbox.unionpay.showing import show_paid, show_refund
from payments.channels.sandbox.unionpay.views import patterns

HEADERS = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
ACCEPTED = frozenset({200, 302})


class UnionPaySpeaker:
    """Fulfils `Speaker`."""

    name: ClassVar[str] = GatewayName.UNIONPAY.value
    label: ClassVar[str] = "UnionPay"
    retry_gaps: ClassVar[Sequence[int]] = (60, 120, 240, 300)

    def __init__(self) -> None:
        self.urlpatterns: Sequence[URLPattern] = patterns(self)

    def make_keys(self) -> dict[str, str]:
        """A chain of its own, and a merchant's certificate under it."""
        return certificates.make_keys()

    def credentials(self, keys: Mapping[str, str]) -> dict[str, str]:
        """What the merchant holds, and the certificates that it pins."""
        return {
            "mer_id": keys["mer_id"],
            "merchant_private_key": keys["merchant_private_key"],
            "merchant_certificate": keys["merchant_certificate"],
            "unionpay_root_certificate": keys["root_certificate"],
            "unionpay_middle_certificate": keys["middle_certificate"],
        }

    def payment_notice(
        self, order: SandboxOrder, keys: Mapping[str, str], *, notice_id: str, at: datetime
    ) -> Letter:
        """Every copy is equal: UnionPay names neither the copy nor the time of sending."""
        return _letter(wire.signed(show_paid(order), keys))

    def refund_notice(
        self, refund: SandboxRefund, keys: Mapping[str, str], *, notice_id: str, at: datetime
    ) -> Letter | None:
        """Tell of a finished refund, to its own address."""
        if not refund.notify_url:
            return None
        return _letter(wire.signed(show_refund(refund), keys))

    def tamper(self, letter: Letter, what: str) -> Letter:
        """Spoil a finished letter."""
        fields = dict(parse_qsl(letter.body.decode(), keep_blank_values=True))
        match what:
            case "amount":
                fields["txnAmt"] = str(int(fields["txnAmt"]) + 1)
            case "unsigned":
                del fields["signature"]
            case _:
                fields["signature"] = wire.flipped(fields["signature"])
        return _letter(fields)

    def is_accepted(self, status: int, body: bytes) -> bool:
        """The status alone decides."""
        return status in ACCEPTED

    def way_back(self, order: SandboxOrder, keys: Mapping[str, str]) -> WayBack | None:
        """The front notification: signed like the other, but brought by the customer's browser."""
        if order.product != "gateway" or not order.return_url:
            return None
        told = wire.signed(show_paid(order), keys)
        return WayBack(url=order.return_url, fields=tuple(told.items()))


def _letter(fields: Mapping[str, str]) -> Letter:
    return Letter(headers=HEADERS, body=urlencode(fields).encode())


SPEAKER = UnionPaySpeaker()
