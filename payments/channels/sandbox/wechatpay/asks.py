"""Reads merchants' requests and refuses what WeChat Pay refuses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from payments.channels.sandbox.wechatpay.wire import Refused
from payments.money import Money

REASON_BYTES_MAX: Final = 80
TIME_EXPIRE_AHEAD: Final = timedelta(minutes=1)

_NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*]{6,32}", re.ASCII)
_REFUND_NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)
_URL: Final = re.compile(r"https?://[^\s?#]{1,240}", re.ASCII)
_BEYOND_THREE_BYTES: Final = re.compile("[\U00010000-\U0010ffff]")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What POST /v3/pay/transactions/… asks for."""

    app: str
    number: str
    description: str
    attach: str
    notify_url: str
    expires_at: datetime | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """What POST /v3/refund/domestic/refunds asks for."""

    order_number: str
    transaction: str
    number: str
    notify_url: str
    amount: Money
    total: Money


class Body:
    """A JSON object whose members are taken out by rule. Raises Refused (PARAM_ERROR)."""

    def __init__(self, members: Mapping[str, Any], path: str = "") -> None:
        self._members, self._path = members, path

    @classmethod
    def parse(cls, data: bytes) -> "Body":
        """Read a request's body."""
        try:
            members = json.loads(data)
        except ValueError as error:
            raise bad("body") from error
        if not isinstance(members, dict):
            raise bad("body")
        return cls(members)

    def inner(self, name: str) -> "Body":
        """A member that is an object."""
        value = self._members.get(name)
        if not isinstance(value, dict):
            raise self._bad(name)
        return Body(value, f"{self._path}{name}.")

    def text(self, name: str, longest: int, *, shortest: int = 0) -> str:
        """Text of UTF-8's one- to three-byte characters, none of them control."""
        value = self._members.get(name)
        value = "" if value is None else value
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise self._bad(name)
        if _BEYOND_THREE_BYTES.search(value) or _CONTROL.search(value):
            raise self._bad(name)
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """Text of a given shape."""
        value = self._members.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._bad(name)
        return value

    def fen(self, name: str) -> Money:
        """A positive amount; the currency stands beside it or is CNY."""
        value = self._members.get(name)
        if type(value) is not int or not 0 < value < 10**13:
            raise self._bad(name)
        if self._members.get("currency", "CNY") != "CNY":
            raise self._bad("currency")
        return Money(value, "CNY")

    def time(self, name: str) -> datetime | None:
        """A time with its offset, or None when absent."""
        if self._members.get(name) is None:
            return None
        try:
            value = datetime.fromisoformat(self.text(name, 64))
        except ValueError as error:
            raise self._bad(name) from error
        if value.tzinfo is None:
            raise self._bad(name)
        return value

    def _bad(self, name: str) -> Refused:
        return bad(self._path + name)


def read_order(data: bytes, product: str, keys: Mapping[str, str], at: datetime) -> NewOrder:
    """Check an order as the gateway's front door does. Raises Refused."""
    body = Body.parse(data)
    own_merchant(body, keys)
    if body.text("appid", 32, shortest=1) != keys["appid"]:
        message = "商户号与 appid 不匹配"
        raise Refused(HTTPStatus.BAD_REQUEST, "APPID_MCHID_NOT_MATCH", message)
    expires_at = body.time("time_expire")
    if expires_at is not None and expires_at < at + TIME_EXPIRE_AHEAD:
        raise bad("time_expire")
    if product == "h5":
        scene = body.inner("scene_info")
        scene.text("payer_client_ip", 45, shortest=2)
        scene.inner("h5_info").text("type", 32, shortest=1)
    return NewOrder(
        app=keys["appid"],
        number=body.matching("out_trade_no", _NUMBER),
        description=body.text("description", 127, shortest=1),
        attach=body.text("attach", 128),
        notify_url=body.matching("notify_url", _URL),
        expires_at=expires_at,
        amount=body.inner("amount").fen("total"),
    )


def read_refund(data: bytes) -> NewRefund:
    """Check a refund as the gateway's front door does. Raises Refused."""
    body = Body.parse(data)
    order_number, transaction = body.text("out_trade_no", 32), body.text("transaction_id", 32)
    if bool(order_number) == bool(transaction):
        raise bad("transaction_id")
    if len(body.text("reason", REASON_BYTES_MAX).encode()) > REASON_BYTES_MAX:
        raise bad("reason")
    amount = body.inner("amount")
    return NewRefund(
        order_number=order_number,
        transaction=transaction,
        number=body.matching("out_refund_no", _REFUND_NUMBER),
        notify_url=body.matching("notify_url", _URL) if body.text("notify_url", 256) else "",
        amount=amount.fen("refund"),
        total=amount.fen("total"),
    )


def own_merchant(body: Body, keys: Mapping[str, str]) -> None:
    """A merchant speaks of itself only. Raises Refused."""
    if body.text("mchid", 32) != keys["mchid"]:
        raise bad("mchid")


def bad(name: str) -> Refused:
    """A request that breaks the interface's rules."""
    return Refused(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", f"参数错误: {name}")
