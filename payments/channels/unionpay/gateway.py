"""Speaks UnionPay ACP 5.1.0 for one merchant: front gateway and QR, query, refund, notifications.

A transaction's identity is merchant + number + time (`txnTime`), so every later question repeats
the order's own creation time. There is no close: an order can be paid until its `payTimeout`.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from payments.channels.base import (
    Device,
    Done,
    FormPost,
    NotAuthentic,
    Notification,
    Order,
    OrderKey,
    Outcome,
    Presentation,
    QrCode,
    RawMessage,
    RefundAsk,
    RefundReading,
    RefundState,
    Rejected,
    Reply,
    Trade,
    TradeState,
    Unknown,
)
from payments.channels.unionpay.bills import ClearingFiles
from payments.channels.unionpay.chain import require_authentic
from payments.channels.unionpay.message import read_form, signed_text
from payments.channels.unionpay.wire import (
    BACK,
    FRONT,
    IDENTITY,
    Unanswered,
    Wire,
    or_unknown,
)
from payments.channels.unionpay.words import (
    DUPLICATE,
    NOT_FOUND,
    OUR_FAULT,
    SUCCESS,
    UNDECIDED,
    amount_of,
    code_of,
    finished_at,
    moment,
    plain_text,
    refused,
)
from payments.money import Money

PURCHASE, REFUND = "01", "04"
SETTLING: Final = timedelta(minutes=10)
"""How long past its time-out an order that the gateway still calls undecided is not given up."""

_NUMBER: Final = re.compile(r"[A-Za-z0-9]{8,40}")


class UnionPayGateway:
    """One merchant's connection. Holds no state besides its keys and connections."""

    app_number = ""

    def __init__(self, wire: Wire, *, front_url: str) -> None:
        """`front_url` is where customers' browsers are sent."""
        self.merchant_number = wire.keys.merchant
        self._wire = wire
        self._front_url = front_url
        self.bills = ClearingFiles(wire, wire.keys.merchant)

    @or_unknown
    def open(self, order: Order) -> Outcome[Presentation]:
        """Sign the form for the browser, or fetch the text of a QR code."""
        if no := _unfit(order.number, order.amount):
            return no
        fields = {
            **self._wire.identity(order.number, order.created_at),
            "txnType": PURCHASE,
            "bizType": _business(order.product),
            "channelType": "07" if order.device is Device.DESKTOP else "08",
            "txnAmt": str(order.amount.minor),
            "currencyCode": "156",
            "backUrl": order.notify_url,
            "payTimeout": moment(order.expires_at),
            "orderDesc": plain_text(order.subject, bytes_max=32),
            "riskRateInfo": f"{{commodityName={plain_text(order.subject, bytes_max=256)}}}",
            "reqReserved": order.reference,
        }
        if order.product == "gateway":
            fields |= {"txnSubType": "01", "frontUrl": order.return_url}
            return Done(FormPost(url=self._front_url + FRONT, fields=self._wire.signed(fields)))
        told = self._wire.ask(BACK, {**fields, "txnSubType": "07"})
        if code_of(told) == DUPLICATE:
            # A repeat is not told its QR code again: the order is there, ask where it stands.
            return Unknown(reason=DUPLICATE)
        if code_of(told) not in SUCCESS:
            return refused(told)
        if not told.get("qrCode"):
            raise Unanswered("unreadable")
        return Done(QrCode(content=told["qrCode"], expires_at=order.expires_at))

    @or_unknown
    def query(self, order: OrderKey) -> Outcome[Trade]:
        """Ask where the order stands. Until its time is up another card may pay after a failure."""
        told = self._wire.look_up(order.number, order.created_at, expected=PURCHASE)
        code = code_of(told)
        if code == NOT_FOUND:
            return Done(self._unpaid(order, is_undecided=False))
        if code != "00":
            return refused(told)
        original = code_of(told, "origRespCode")
        if original not in SUCCESS:
            return Done(self._unpaid(order, is_undecided=original in UNDECIDED))
        return Done(_paid(told))

    def close(self, order: OrderKey) -> Outcome[Trade]:
        """Tell what a query says: UnionPay has no close, the order lapses at `expires_at`."""
        return self.query(order)

    def _unpaid(self, order: OrderKey, *, is_undecided: bool) -> Trade:
        patience = SETTLING if is_undecided else timedelta()
        is_over = self._wire.clock() >= order.expires_at + patience
        return Trade(
            number=order.number,
            state=TradeState.CLOSED if is_over else TradeState.WAITING,
            merchant=self.merchant_number,
        )

    @or_unknown
    def refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Ask for a refund; UnionPay only ever accepts it here and decides later."""
        if no := _unfit(ask.number, ask.amount):
            return no
        original = self._original(ask.order)
        if not isinstance(original, str):
            return original
        fields = {
            **self._wire.identity(ask.number, ask.created_at),
            "txnType": REFUND,
            "txnSubType": "00",
            "bizType": _business(ask.order.product),
            "channelType": "07",
            "origQryId": original,
            "txnAmt": str(ask.amount.minor),
            "backUrl": ask.notify_url,
        }
        told = self._wire.ask(BACK, fields)
        if code_of(told) in SUCCESS:
            return Done(_refund_reading(told, RefundState.PROCESSING))
        if code_of(told) in OUR_FAULT:
            return refused(told)
        return self._after_refusal(ask, refused(told))

    def _after_refusal(self, ask: RefundAsk, no: Rejected) -> Outcome[RefundReading]:
        """Look before saying no: an earlier try of this very refund may have taken effect."""
        found = self.query_refund(ask)
        match found:
            case Rejected(code=code) if code == NOT_FOUND and no.code == DUPLICATE:
                return Unknown(reason=DUPLICATE)
            case Rejected(code=code) if code == NOT_FOUND:
                return no
            case Rejected():
                return Unknown(reason=found.code)
            case Done(value=reading) if reading.state is RefundState.FAILED:
                return no if no.code != DUPLICATE else found
            case _:
                return found

    @or_unknown
    def query_refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Ask where the refund stands. `Rejected` with code 34: it does not exist there."""
        told = self._wire.look_up(ask.number, ask.created_at, expected=REFUND)
        if code_of(told) != "00":
            return refused(told)
        original = code_of(told, "origRespCode")
        if original in SUCCESS:
            state = RefundState.SUCCEEDED
        elif original in UNDECIDED:
            state = RefundState.PROCESSING
        else:
            state = RefundState.FAILED
        return Done(_refund_reading(told, state))

    def _original(self, order: OrderKey) -> str | Rejected | Unknown:
        """UnionPay's number of the purchase, asked for when we were never told it."""
        if order.gateway_number:
            return order.gateway_number
        match self.query(order):
            case Done(value=trade) if trade.state is TradeState.PAID and trade.gateway_number:
                return trade.gateway_number
            case Done():
                return Rejected(code="35", message="The order is not paid at the gateway.")
            case no:
                return no

    def read(self, message: RawMessage) -> Notification:
        """Verify over the raw bytes, then say what it tells. Only successes are ever notified."""
        fields = read_form(message.body)
        require_authentic(fields, self._wire.keys.chain, at=message.received_at)
        if any(not fields.get(name) for name in (*IDENTITY, "txnType")):
            raise NotAuthentic("unreadable")
        key = _key_of(fields)
        if code_of(fields) not in SUCCESS:
            return Notification(key=key)
        match fields["txnType"]:
            case "01":
                return Notification(key=key, trade=_paid(fields))
            case "04":
                return Notification(key=key, refund=_refund_reading(fields, RefundState.SUCCEEDED))
            case _:
                return Notification(key=key)

    def accept(self) -> Reply:
        """Any 200 ends the repeats; `ok` is customary."""
        return Reply(status=200, body=b"ok", content_type="text/plain; charset=utf-8")

    def refuse(self, reason: str) -> Reply:
        """Anything but 200 and 302 is repeated, five times in all."""
        return Reply(status=400, body=reason.encode(), content_type="text/plain; charset=utf-8")


def _business(product: str) -> str:
    return "000201" if product == "gateway" else "000000"


def _unfit(number: str, amount: Money) -> Rejected | None:
    """What UnionPay would refuse, told before anything is sent."""
    if not _NUMBER.fullmatch(number):
        return Rejected(code="10", message="orderId: 8 to 40 letters and digits", is_our_fault=True)
    if amount.currency != "CNY" or not 0 < amount.minor < 10**12:
        return Rejected(code="33", message="txnAmt: yuan, at most 12 digits of fen")
    return None


def _paid(fields: Mapping[str, str]) -> Trade:
    return Trade(
        number=fields["orderId"],
        state=TradeState.PAID,
        amount=amount_of(fields),
        gateway_number=fields.get("queryId", ""),
        paid_at=finished_at(fields),
        merchant=fields["merId"],
    )


def _refund_reading(fields: Mapping[str, str], state: RefundState) -> RefundReading:
    # Answers about refunds do not name the currency: it is the order's.
    told = {"currencyCode": "156", **fields}
    return RefundReading(
        number=fields["orderId"],
        state=state,
        amount=amount_of(told) if "txnAmt" in fields else None,
        gateway_number=fields.get("queryId", ""),
        finished_at=finished_at(fields) if state is RefundState.SUCCEEDED else None,
        merchant=fields["merId"],
    )


def _key_of(fields: Mapping[str, str]) -> str:
    """The same for every copy, also when UnionPay signs a later copy with another certificate."""
    told = {name: value for name, value in fields.items() if name != "signPubKeyCert"}
    return (
        f"{fields.get('queryId', '')[:32]}.{hashlib.sha256(signed_text(told).encode()).hexdigest()}"
    )
