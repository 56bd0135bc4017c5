"""Orders and refunds in WeChat Pay's words."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from payments.channels.sandbox.models import OrderState, SandboxOrder, SandboxRefund

BEIJING: Final = ZoneInfo("Asia/Shanghai")

TRADE_TYPES: Final = {"native": "NATIVE", "h5": "MWEB"}
_TRADE_WORDS: Final = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "REFUND": "订单发生过退款",
    "CLOSED": "订单已关闭",
}
REFUND_STATES: Final = {
    "processing": "PROCESSING",
    "succeeded": "SUCCESS",
    "abnormal": "ABNORMAL",
    "failed": "CLOSED",
}


def show_order(order: SandboxOrder) -> dict[str, Any]:
    """A query's answer, and, once paid, the inside of a notification. Nulls are left out."""
    state = _trade_state(order)
    shown: dict[str, Any] = {
        "mchid": order.merchant,
        "appid": order.fields["appid"],
        "out_trade_no": order.number,
        "trade_state": state,
        "trade_state_desc": _TRADE_WORDS[state],
        "attach": order.fields["attach"],
        "payer": {},
    }
    if order.paid_at is not None:
        shown |= {
            "transaction_id": order.gateway_number,
            "trade_type": TRADE_TYPES[order.product],
            "bank_type": "OTHERS",
            "success_time": rfc3339(order.paid_at),
            "payer": {"openid": "oSandboxPayer0000000000000000"},
            "amount": {
                "total": order.paid.minor,
                "payer_total": order.paid.minor,
                "currency": order.currency,
                "payer_currency": order.currency,
            },
        }
    return shown


def show_refund(refund: SandboxRefund, state: str) -> dict[str, Any]:
    """The answer to asking for, or about, a refund."""
    order = refund.order
    shown: dict[str, Any] = {
        "refund_id": refund.gateway_number,
        "out_refund_no": refund.number,
        "transaction_id": order.gateway_number,
        "out_trade_no": order.number,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.created_at),
        "status": state,
        "funds_account": "AVAILABLE",
        "amount": _refund_amount(refund) | {"currency": order.currency},
    }
    if state == "SUCCESS":
        shown["success_time"] = rfc3339(refund.created_at)
    return shown


def show_refund_notice(refund: SandboxRefund) -> dict[str, Any]:
    """The inside of a refund's notification: other names than in answers, and no currency."""
    order, state = refund.order, REFUND_STATES[refund.state]
    shown: dict[str, Any] = {
        "mchid": order.merchant,
        "out_trade_no": order.number,
        "transaction_id": order.gateway_number,
        "out_refund_no": refund.number,
        "refund_id": refund.gateway_number,
        "refund_status": state,
        "user_received_account": "支付用户零钱",
        "amount": _refund_amount(refund),
    }
    if state == "SUCCESS":
        shown["success_time"] = rfc3339(refund.created_at)
    return shown


def rfc3339(at: datetime) -> str:
    """A time in China, to the second."""
    return at.astimezone(BEIJING).replace(microsecond=0).isoformat()


def _trade_state(order: SandboxOrder) -> str:
    if order.state == OrderState.PAID:
        return "REFUND" if order.refunds.exists() else "SUCCESS"
    return "CLOSED" if order.state == OrderState.CLOSED else "NOTPAY"


def _refund_amount(refund: SandboxRefund) -> dict[str, int]:
    total, back = refund.order.paid.minor, refund.amount_minor
    return {"total": total, "refund": back, "payer_total": total, "payer_refund": back}
