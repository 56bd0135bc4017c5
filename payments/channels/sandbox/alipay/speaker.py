"""What Alipay tells merchants and browsers, as the sandbox plays it."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar, Final

from django.urls import URLPattern
from django.utils import timezone

from payments.channels.sandbox import keyring
from payments.channels.sandbox.alipay import wire
from payments.channels.sandbox.alipay.views import NAME, patterns
from payments.channels.sandbox.models import SandboxOrder, SandboxRefund
from payments.channels.sandbox.speaker import Letter, WayBack

MINUTE: Final = 60
HOUR: Final = 3600
TELLS_CLOSING: Final = frozenset({"wap"})
"""Products whose merchants hear of TRADE_CLOSED too."""


class AlipaySpeaker:
    """Fulfils `Speaker`."""

    name: ClassVar[str] = NAME
    label: ClassVar[str] = "Alipay"
    retry_gaps: ClassVar[Sequence[int]] = (
        4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR,
    )  # fmt: skip

    def __init__(self) -> None:
        self.urlpatterns: Sequence[URLPattern] = patterns(self)

    def make_keys(self) -> dict[str, str]:
        """Numbers and key pairs of the gateway and its one merchant."""
        gateway_private, gateway_public = keyring.new_pair()
        merchant_private, merchant_public = keyring.new_pair()
        return {
            "app_id": f"2021{secrets.randbelow(10**12):012d}",
            "seller_id": f"2088{secrets.randbelow(10**12):012d}",
            "gateway_private": gateway_private,
            "gateway_public": gateway_public,
            "merchant_private": merchant_private,
            "merchant_public": merchant_public,
        }

    def credentials(self, keys: Mapping[str, str]) -> dict[str, str]:
        """Public-key mode."""
        return {
            "app_id": keys["app_id"],
            "seller_id": keys["seller_id"],
            "app_private_key": keys["merchant_private"],
            "alipay_public_key": keys["gateway_public"],
        }

    def payment_notice(
        self, order: SandboxOrder, keys: Mapping[str, str], *, notice_id: str, at: datetime
    ) -> Letter:
        """TRADE_SUCCESS."""
        fields = _told(order, keys, notice_id, at) | {"trade_status": "TRADE_SUCCESS"}
        return wire.letter(fields, keys)

    def refund_notice(
        self, refund: SandboxRefund, keys: Mapping[str, str], *, notice_id: str, at: datetime
    ) -> Letter | None:
        """The order's state again, with `refund_fee`, the sum of all refunds so far."""
        order = refund.order
        so_far = sum(order.refunds.filter(pk__lte=refund.pk).values_list("amount_minor", flat=True))
        is_all = so_far >= order.paid.minor
        if is_all and order.product not in TELLS_CLOSING:
            return None
        fields = _told(order, keys, notice_id, at) | {
            "trade_status": "TRADE_CLOSED" if is_all else "TRADE_SUCCESS",
            "refund_fee": wire.yuan(so_far),
            "out_biz_no": refund.number,
            "gmt_refund": wire.clock(refund.created_at)
            + f".{refund.created_at.microsecond // 1000:03d}",
        }
        return wire.letter(fields, keys)

    def tamper(self, letter: Letter, what: str) -> Letter:
        """Spoil a finished letter."""
        return wire.tamper(letter, what)

    def is_accepted(self, status: int, body: bytes) -> bool:
        """HTTP 200 and exactly seven bytes."""
        return status == HTTPStatus.OK and body == b"success"

    def way_back(self, order: SandboxOrder, keys: Mapping[str, str]) -> WayBack | None:
        """The merchant's return address with signed parameters; nothing for scanned orders."""
        if not order.return_url:
            return None
        fields = {
            "app_id": keys["app_id"],
            "auth_app_id": keys["app_id"],
            "method": f"alipay.trade.{order.product}.pay.return",
            "charset": order.fields.get("charset", "utf-8"),
            "version": "1.0",
            "out_trade_no": order.number,
            "trade_no": order.gateway_number,
            "total_amount": order.amount.decimal,
            "seller_id": keys["seller_id"],
            "timestamp": wire.clock(timezone.now()),
        }
        glue = "&" if "?" in order.return_url else "?"
        return WayBack(url=f"{order.return_url}{glue}{wire.signed_form(fields, keys).decode()}")


def _told(
    order: SandboxOrder, keys: Mapping[str, str], notice_id: str, at: datetime
) -> dict[str, str]:
    paid = order.paid.decimal
    return {
        "notify_id": notice_id,
        "notify_type": "trade_status_sync",
        "notify_time": wire.clock(at),
        "app_id": keys["app_id"],
        "auth_app_id": keys["app_id"],
        "charset": order.fields.get("charset", "utf-8"),
        "version": "1.0",
        "out_trade_no": order.number,
        "trade_no": order.gateway_number,
        "seller_id": keys["seller_id"],
        "buyer_id": "2088102122458832",
        "total_amount": paid,
        "receipt_amount": paid,
        "buyer_pay_amount": paid,
        "invoice_amount": paid,
        "point_amount": "0.00",
        "fund_bill_list": f'[{{"amount":"{paid}","fundChannel":"ALIPAYACCOUNT"}}]',
        "subject": order.subject,
        "gmt_create": wire.clock(order.seen_at or order.created_at),
        "gmt_payment": wire.clock(order.paid_at or at),
        "passback_params": order.fields.get("passback_params", ""),
    }


SPEAKER: Final = AlipaySpeaker()
