"""Reads what Alipay says about orders and refunds. Everything here is already authenticated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payments.channels.alipay.protocol import Unreadable, from_beijing
from payments.channels.base import (
    Notification,
    OrderKey,
    RefundAsk,
    RefundReading,
    RefundState,
    Trade,
    TradeState,
)
from payments.errors import MoneyMalformed
from payments.money import Money

REFUND_STATES = {
    "REFUND_SUCCESS": RefundState.SUCCEEDED,
    "REFUND_PROCESSING": RefundState.PROCESSING,
    "REFUND_FAIL": RefundState.FAILED,
}


def trade_from_query(fields: Mapping[str, Any], order: OrderKey, *, seller: str, app: str) -> Trade:
    """What a query's answer says. Raises Unreadable, also when it is about another order.

    The answer does not repeat seller and application; it is an answer to a call signed by them.
    """
    require_same_order(fields, order.number)
    paid_at = from_beijing(text(fields, "send_pay_date"))
    state = _state(text(fields, "trade_status"))
    if state is TradeState.CLOSED and paid_at and _was_received(fields):
        # Paid, and then given back in full: Alipay closes the order, yet the payment did happen.
        state = TradeState.PAID
    is_paid = state is TradeState.PAID
    return Trade(
        number=order.number,
        state=state,
        amount=money(fields, "total_amount") if is_paid else None,
        gateway_number=text(fields, "trade_no"),
        paid_at=paid_at if is_paid else None,
        merchant=seller,
        app=app,
    )


def notification(fields: Mapping[str, str]) -> Notification:
    """What a verified notification says. Raises Unreadable.

    A refund repeats the order's state and adds `refund_fee`: that is no second payment.
    """
    notice_id = fields.get("notify_id", "")
    if not notice_id:
        raise Unreadable("no notify_id")
    if not fields.get("out_trade_no") or not fields.get("trade_status"):
        return Notification(key=notice_id)
    if _has_refund(fields):
        return Notification(key=notice_id, refund=_refund_told(fields))
    state = _state(fields["trade_status"])
    is_paid = state is TradeState.PAID
    return Notification(
        key=notice_id,
        trade=Trade(
            number=fields["out_trade_no"],
            state=state,
            amount=money(fields, "total_amount") if is_paid else None,
            gateway_number=fields.get("trade_no", ""),
            paid_at=from_beijing(fields.get("gmt_payment", "")) if is_paid else None,
            merchant=fields.get("seller_id", ""),
            app=fields.get("app_id", ""),
        ),
    )


def refund_from_query(
    fields: Mapping[str, Any], ask: RefundAsk, *, seller: str
) -> RefundReading | None:
    """What a refund query's answer says; None when Alipay does not know the refund (yet).

    Raises Unreadable.
    """
    status = text(fields, "refund_status")
    if not status and not text(fields, "refund_amount"):
        return None
    require_same_order(fields, ask.order.number)
    if text(fields, "out_request_no") != ask.number:
        raise Unreadable("another refund")
    state = REFUND_STATES.get(status, RefundState.PROCESSING) if status else RefundState.SUCCEEDED
    amount = money(fields, "refund_amount") if text(fields, "refund_amount") else ask.amount
    return refund_reading(
        ask, state, seller, amount=amount, finished_at=from_beijing(text(fields, "gmt_refund_pay"))
    )


def refund_reading(
    ask: RefundAsk,
    state: RefundState,
    seller: str,
    *,
    amount: Money | None = None,
    finished_at: datetime | None = None,
) -> RefundReading:
    """A reading of the refund asked for. Alipay gives refunds no number of its own."""
    return RefundReading(
        number=ask.number,
        state=state,
        amount=amount or ask.amount,
        order_number=ask.order.number,
        finished_at=finished_at if state is RefundState.SUCCEEDED else None,
        merchant=seller,
    )


def require_same_order(fields: Mapping[str, Any], number: str) -> None:
    """An answer about another order is no answer. Raises Unreadable."""
    if text(fields, "out_trade_no") != number:
        raise Unreadable("another order")


def text(fields: Mapping[str, Any], name: str) -> str:
    """A member that is text; "" when it is missing or something else."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def money(fields: Mapping[str, Any], name: str) -> Money:
    """An amount in yuan. Raises Unreadable."""
    try:
        return Money.parse(text(fields, name))
    except MoneyMalformed as error:
        raise Unreadable(name) from error


def _state(status: str) -> TradeState:
    match status:
        case "TRADE_SUCCESS" | "TRADE_FINISHED":
            return TradeState.PAID
        case "TRADE_CLOSED":
            return TradeState.CLOSED
        case "WAIT_BUYER_PAY":
            return TradeState.WAITING
        case _:
            raise Unreadable("trade_status")


def _was_received(fields: Mapping[str, Any]) -> bool:
    names = ("receipt_amount", "buyer_pay_amount")
    return any(money(fields, name).minor > 0 for name in names if text(fields, name))


def _has_refund(fields: Mapping[str, str]) -> bool:
    return bool(fields.get("refund_fee")) and money(fields, "refund_fee").minor != 0


def _refund_told(fields: Mapping[str, str]) -> RefundReading | None:
    """The refund that a notification tells of; `refund_fee` sums all refunds, so no amount."""
    number = fields.get("out_biz_no", "")
    if not number:
        return None
    return RefundReading(
        number=number,
        state=RefundState.SUCCEEDED,
        order_number=fields["out_trade_no"],
        finished_at=from_beijing(fields.get("gmt_refund", "")),
        merchant=fields.get("seller_id", ""),
    )
