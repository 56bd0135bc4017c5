"""Reads authentic JSON of WeChat Pay's into the platform's values. Unknown members are ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from payments.channels.base import RefundReading, RefundState, Trade, TradeState
from payments.errors import CurrencyUnknown
from payments.money import Money

CURRENCY_DEFAULT: Final = "CNY"
"""What an amount without a currency is in; refund notifications never name one."""

_TRADE_STATES: Final = {
    "NOTPAY": TradeState.WAITING,
    "USERPAYING": TradeState.WAITING,
    "PAYERROR": TradeState.WAITING,
    "SUCCESS": TradeState.PAID,
    "REFUND": TradeState.PAID,
    "CLOSED": TradeState.CLOSED,
    "REVOKED": TradeState.CLOSED,
}
"""REFUND says that some of the money went back later: it was paid all the same."""

_REFUND_STATES: Final = {
    "PROCESSING": RefundState.PROCESSING,
    "ABNORMAL": RefundState.PROCESSING,
    "SUCCESS": RefundState.SUCCEEDED,
    "CLOSED": RefundState.FAILED,
}
"""ABNORMAL waits for a person at the merchant's (the payer's card is gone): it is not final."""


class Unreadable(Exception):
    """Authentic, but not what the protocol promises. The argument names the member."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object whose members are asked for by kind. Raises Unreadable."""

    data: Mapping[str, object]

    @classmethod
    def parse(cls, body: bytes) -> "Fields":
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Unreadable("json") from error
        if not isinstance(data, dict):
            raise Unreadable("json")
        return cls(data)

    def text(self, name: str) -> str:
        """A member that must be a string with something in it."""
        value = self.text_or_empty(name)
        if not value:
            raise Unreadable(name)
        return value

    def text_or_empty(self, name: str) -> str:
        """A string; null and absent are the empty string."""
        value = self.data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unreadable(name)
        return value

    def inner(self, name: str) -> "Fields":
        value = self.data.get(name)
        if not isinstance(value, dict):
            raise Unreadable(name)
        return Fields(value)

    def inner_list(self, name: str) -> "list[Fields]":
        value = self.data.get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Unreadable(name)
        return [Fields(item) for item in value]

    def fen(self, name: str) -> int:
        value = self.data.get(name)
        if type(value) is not int or value < 0:
            raise Unreadable(name)
        return value

    def time(self, name: str) -> datetime:
        """An RFC 3339 time with its offset."""
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise Unreadable(name) from error
        if value.tzinfo is None:
            raise Unreadable(name)
        return value


def read_trade(fields: Fields) -> Trade:
    """An order as a query or a TRANSACTION notification shows it. Raises Unreadable."""
    state = _TRADE_STATES.get(fields.text("trade_state"))
    if state is None:
        raise Unreadable("trade_state")
    is_paid = state is TradeState.PAID
    return Trade(
        number=fields.text("out_trade_no"),
        state=state,
        # What the customer paid after coupons is `payer_total`; what we asked for is `total`.
        amount=_money(fields.inner("amount"), "total") if is_paid else None,
        gateway_number=fields.text("transaction_id") if is_paid else "",
        paid_at=fields.time("success_time") if is_paid else None,
        merchant=fields.text("mchid"),
        app=fields.text("appid"),
    )


def read_refund(fields: Fields, *, state_member: str, merchant: str = "") -> RefundReading:
    """A refund; its state is `status` in answers and `refund_status` in notifications.

    Answers do not repeat the merchant's number, so the caller says whose question it was.
    """
    state = _REFUND_STATES.get(fields.text(state_member))
    if state is None:
        raise Unreadable(state_member)
    has_succeeded = state is RefundState.SUCCEEDED
    return RefundReading(
        number=fields.text("out_refund_no"),
        state=state,
        amount=_money(fields.inner("amount"), "refund"),
        order_number=fields.text("out_trade_no"),
        gateway_number=fields.text("refund_id"),
        finished_at=fields.time("success_time") if has_succeeded else None,
        merchant=merchant or fields.text("mchid"),
    )


def _money(amount: Fields, name: str) -> Money:
    try:
        return Money(amount.fen(name), amount.text_or_empty("currency") or CURRENCY_DEFAULT)
    except CurrencyUnknown as error:
        raise Unreadable("currency") from error
