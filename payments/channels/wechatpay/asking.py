"""The bodies of our requests, in the words and within the limits of WeChat Pay."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from payments.channels.base import Order, RefundAsk

NATIVE: Final = "native"
H5: Final = "h5"

DESCRIPTION_CHARACTERS_MAX: Final = 127
ATTACH_CHARACTERS_MAX: Final = 128
REASON_BYTES_MAX: Final = 80
PAYABLE_AT_LEAST: Final = timedelta(minutes=2)
"""The gateway wants an order's end at least a minute ahead; twice that leaves time to arrive."""

REPLACEMENT: Final = "□"
_SUPPLEMENTARY: Final = re.compile(
    r"[\U00010000-\U0010ffff][\U00010000-\U0010ffff\u200d\ufe0e\ufe0f]*"
)
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def to_json(members: Mapping[str, object]) -> bytes:
    """A request's body: these bytes are signed and sent."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def order_members(order: Order, *, app: str, merchant: str) -> dict[str, object]:
    """The body that opens an order: equal for an equal order, as a repeat must be."""
    members: dict[str, object] = {
        "appid": app,
        "mchid": merchant,
        "description": plain(order.subject)[:DESCRIPTION_CHARACTERS_MAX] or order.reference,
        "out_trade_no": order.number,
        "time_expire": rfc3339(max(order.expires_at, order.created_at + PAYABLE_AT_LEAST)),
        "attach": plain(order.reference)[:ATTACH_CHARACTERS_MAX],
        "notify_url": order.notify_url,
        "amount": {"total": order.amount.minor, "currency": order.amount.currency},
    }
    if order.product == H5:
        members["scene_info"] = {"payer_client_ip": order.client_ip, "h5_info": {"type": "Wap"}}
    return members


def refund_members(ask: RefundAsk) -> dict[str, object]:
    """The body that asks for a refund. Equal for an equal ask."""
    members: dict[str, object] = {
        "out_trade_no": ask.order.number,
        "out_refund_no": ask.number,
        "notify_url": ask.notify_url,
        "amount": {
            "refund": ask.amount.minor,
            "total": ask.paid.minor,
            "currency": ask.amount.currency,
        },
    }
    if reason := within_bytes(plain(ask.reason), REASON_BYTES_MAX):
        members["reason"] = reason
    return members


def plain(text: str) -> str:
    """Text the gateway takes: characters of one to three bytes in UTF-8, none of them control.

    A run of emoji, each of which may be several characters, becomes one mark for "missing".
    """
    replaced = _SUPPLEMENTARY.sub(REPLACEMENT, text)
    return "".join(c for c in replaced if unicodedata.category(c) not in _UNPRINTABLE).strip()


def within_bytes(text: str, longest: int) -> str:
    """The longest beginning of the text that fits, without half a character at its end."""
    return text.encode()[:longest].decode(errors="ignore")


def rfc3339(at: datetime) -> str:
    """A time to the second with its offset."""
    return at.replace(microsecond=0).isoformat()
