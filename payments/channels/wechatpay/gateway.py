"""WeChat Pay with a channel's keys loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar, assert_never
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payments.channels.base import (
    Done,
    NotAuthentic,
    Notification,
    Order,
    OrderKey,
    Outcome,
    Presentation,
    QrCode,
    RawMessage,
    Redirect,
    RefundAsk,
    RefundReading,
    Rejected,
    Reply,
    Trade,
    TradeState,
    Unknown,
)
from payments.channels.wechatpay import codes
from payments.channels.wechatpay.asking import H5, NATIVE, order_members, refund_members, to_json
from payments.channels.wechatpay.bills import TradeBills
from payments.channels.wechatpay.calls import Caller
from payments.channels.wechatpay.enrolling import WeChatPayEnroller
from payments.channels.wechatpay.envelope import open_sealed
from payments.channels.wechatpay.proofs import verify
from payments.channels.wechatpay.reading import Fields, Unreadable, read_refund, read_trade

CODE_URL_LIFE: Final = timedelta(hours=2)
PAID: Final = "TRANSACTION.SUCCESS"
REFUND_EVENTS: Final = "REFUND."

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class WeChatPayGateway:
    """Safe to use from threads: nothing in it changes except the keys, and they change at once."""

    merchant_number: str
    app_number: str
    caller: Caller
    cipher: AESGCM

    @property
    def bills(self) -> TradeBills:
        """The daily trade bill."""
        return TradeBills(self.caller, self.merchant_number)

    def open(self, order: Order) -> Outcome[Presentation]:
        """Native for a QR code, H5 for a phone's browser.

        A refusal that may only concern a repeat is followed by a question, because the first try
        may have made an order that somebody pays.
        """
        if order.product not in {NATIVE, H5}:
            msg = f"no such product: {order.product}"
            raise ValueError(msg)
        members = order_members(order, app=self.app_number, merchant=self.merchant_number)
        answer = self.caller.post(f"/v3/pay/transactions/{order.product}", members)
        if isinstance(answer, Rejected) and answer.code in codes.MAY_BE_A_REPEAT:
            return self._refused_open(order, answer)
        return _reading(answer, lambda fields: self._presentation(order, fields))

    def query(self, order: OrderKey) -> Outcome[Trade]:
        """Ask by our number. An order that is not there may still arrive, so it is waiting."""
        answer = self._ask(order.number)
        if isinstance(answer, Rejected) and answer.code in codes.ORDER_MISSING:
            return Done(self._bare(order.number, TradeState.WAITING))
        return answer

    def close(self, order: OrderKey) -> Outcome[Trade]:
        """Close, and when the gateway will not, find out whether the customer was faster."""
        answer = self.caller.post(
            f"/v3/pay/transactions/out-trade-no/{order.number}/close",
            {"mchid": self.merchant_number},
        )
        if isinstance(answer, Done):
            return Done(self._bare(order.number, TradeState.CLOSED))
        if isinstance(answer, Rejected) and answer.code in codes.ORDER_CLOSED | codes.ORDER_MISSING:
            # Nobody was ever shown a code for an order that does not exist.
            return Done(self._bare(order.number, TradeState.CLOSED))
        is_worth_asking = (
            not answer.is_our_fault
            if isinstance(answer, Rejected)
            else answer.reason in codes.BUSY_WITH_CUSTOMER
        )
        if not is_worth_asking:
            return answer
        found = self._ask(order.number)
        if isinstance(found, Done) and found.value.state is not TradeState.WAITING:
            return found
        return answer

    def refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Ask for the refund. A refusal counts only if no refund of that number exists there."""
        answer = self.caller.post("/v3/refund/domestic/refunds", refund_members(ask))
        if isinstance(answer, Rejected) and not answer.is_our_fault:
            found = self.query_refund(ask)
            return answer if isinstance(found, Rejected) else found
        return _reading(answer, lambda fields: self._refund(ask, fields))

    def query_refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Ask by our refund number."""
        answer = self.caller.get(f"/v3/refund/domestic/refunds/{quote(ask.number, safe='')}")
        if isinstance(answer, Rejected) and answer.code not in codes.REFUND_MISSING:
            # Refused the question, which says nothing about the refund.
            return Unknown(reason=answer.code)
        return _reading(answer, lambda fields: self._refund(ask, fields))

    def enroller(self) -> WeChatPayEnroller:
        """For a channel whose merchant number is a service provider's (服务商)."""
        return WeChatPayEnroller(caller=self.caller, app=self.app_number)

    def read(self, message: RawMessage) -> Notification:
        """Verify the bytes, open what is sealed, read it. Raises NotAuthentic."""
        verify(message.headers, message.body, self.caller.keys, at=message.received_at)
        try:
            return self._notification(Fields.parse(message.body))
        except Unreadable as error:
            raise NotAuthentic("unreadable") from error

    def accept(self) -> Reply:
        """The status alone counts."""
        return Reply(status=204, body=b"", content_type="application/json")

    def refuse(self, reason: str) -> Reply:
        """Any error status brings it again, sixteen times within a day."""
        body = to_json({"code": "FAIL", "message": reason})
        return Reply(status=500, body=body, content_type="application/json")

    def _ask(self, number: str) -> Outcome[Trade]:
        answer = self.caller.get(
            f"/v3/pay/transactions/out-trade-no/{number}", {"mchid": self.merchant_number}
        )
        return _reading(answer, lambda fields: self._trade(number, fields))

    def _refused_open(self, order: Order, refusal: Rejected) -> Outcome[Presentation]:
        found = self._ask(order.number)
        match found:
            case Done(value=trade) if trade.state is TradeState.CLOSED:
                return refusal
            case Done():
                # It exists and can be, or was, paid: a later query tells which.
                return Unknown(reason=refusal.code)
            case Rejected(code=code) if code in codes.ORDER_MISSING:
                is_contradiction = refusal.code in codes.ORDER_EXISTS
                return Unknown(reason=refusal.code) if is_contradiction else refusal
            case Rejected():
                return Unknown(reason=refusal.code)
            case Unknown():
                return found
            case _:
                assert_never(found)

    def _presentation(self, order: Order, fields: Fields) -> Presentation:
        if order.product == NATIVE:
            expires_at = min(order.expires_at, self.caller.clock() + CODE_URL_LIFE)
            return QrCode(content=fields.text("code_url"), expires_at=expires_at)
        url = fields.text("h5_url")
        if urlsplit(url).scheme not in {"https", urlsplit(self.caller.base_url).scheme}:
            raise Unreadable("h5_url")
        if order.return_url:
            mark = "&" if urlsplit(url).query else "?"
            url = f"{url}{mark}redirect_url={quote(order.return_url, safe='')}"
        return Redirect(url=url)

    def _trade(self, number: str, fields: Fields) -> Trade:
        trade = read_trade(fields)
        if trade.number != number:
            raise Unreadable("out_trade_no")
        return trade

    def _refund(self, ask: RefundAsk, fields: Fields) -> RefundReading:
        reading = read_refund(fields, state_member="status", merchant=self.merchant_number)
        if (reading.number, reading.order_number) != (ask.number, ask.order.number):
            raise Unreadable("out_refund_no")
        return reading

    def _notification(self, fields: Fields) -> Notification:
        key, event = fields.text("id"), fields.text("event_type")
        if event != PAID and not event.startswith(REFUND_EVENTS):
            return Notification(key=key)
        inside = Fields.parse(open_sealed(self.cipher, fields.inner("resource")))
        if event == PAID:
            return Notification(key=key, trade=read_trade(inside))
        return Notification(key=key, refund=read_refund(inside, state_member="refund_status"))

    def _bare(self, number: str, state: TradeState) -> Trade:
        return Trade(number=number, state=state, merchant=self.merchant_number, app=self.app_number)


def _reading(answer: Outcome[Fields], read: Callable[[Fields], T]) -> Outcome[T]:
    if not isinstance(answer, Done):
        return answer
    try:
        return Done(read(answer.value))
    except Unreadable:
        return Unknown(reason="unreadable")
