"""One Alipay application, connected."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from payments.channels.alipay import codes, readings
from payments.channels.alipay.bills import TradeBills
from payments.channels.alipay.enrolling import AlipayEnroller
from payments.channels.alipay.protocol import (
    Unreadable,
    beijing,
    canonical_notices,
    decode_form,
    from_beijing,
    read_form,
)
from payments.channels.alipay.wire import Wire
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
    RefundState,
    Rejected,
    Reply,
    Trade,
    TradeState,
    Unknown,
)

CURRENCY: Final = "CNY"
SUBJECT_MAX: Final = 256
REASON_MAX: Final = 256
QR_LIFE: Final = timedelta(hours=2)
REFUND_NOT_KNOWN: Final = "refund_not_known"
REFUND_SETTLES: Final = timedelta(seconds=30)
"""Alipay may not find a refund right after it was asked for; it names ten seconds."""

BROWSER_PRODUCTS: Final = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
}
QR_PRODUCT: Final = "precreate"

_REFUSED_IN_SUBJECT: Final = str.maketrans({"/": "／", "=": "＝", "&": "＆"})


class AlipayGateway:
    """Fulfils `base.Gateway`."""

    def __init__(
        self, wire: Wire, *, seller_id: str, app_id: str, now: Callable[[], datetime]
    ) -> None:
        self.merchant_number = seller_id
        self.app_number = app_id
        self._wire, self._now = wire, now
        self.bills = TradeBills(wire, seller_id)

    def enroller(self) -> AlipayEnroller:
        """For an application that is a platform's (互联网平台直付通)."""
        return AlipayEnroller(wire=self._wire)

    # --- paying -----------------------------------------------------------------------------

    def open(self, order: Order) -> Outcome[Presentation]:
        """Precreate a QR order, or sign the address to which the browser goes."""
        if order.amount.currency != CURRENCY:
            return Rejected(code="currency", message="Alipay takes CNY here.", is_our_fault=True)
        biz = {
            "out_trade_no": order.number,
            "total_amount": order.amount.decimal,
            "subject": clean(order.subject, SUBJECT_MAX) or order.number,
            "time_expire": beijing(order.expires_at),
            "passback_params": quote(order.reference, safe=""),
        }
        if order.product == QR_PRODUCT:
            return self._precreate(order, biz)
        if order.product not in BROWSER_PRODUCTS:
            return Rejected(code="product", message=order.product, is_our_fault=True)
        method, product_code = BROWSER_PRODUCTS[order.product]
        biz["product_code"] = product_code
        if order.product == "wap" and order.return_url:
            biz["quit_url"] = order.return_url
        url = self._wire.address(
            method, biz, notify_url=order.notify_url, return_url=order.return_url
        )
        return Done(Redirect(url=url))

    def _precreate(self, order: Order, biz: Mapping[str, Any]) -> Outcome[Presentation]:
        outcome = self._wire.call("alipay.trade.precreate", biz, notify_url=order.notify_url)
        if isinstance(outcome, Rejected) and outcome.code in (
            codes.MOVED_ON | {codes.OTHER_CONTENT}
        ):
            # The number is known there: a customer may have paid under it. Only a query can tell.
            return Unknown(reason=outcome.code)
        if not isinstance(outcome, Done):
            return outcome
        content = readings.text(outcome.value, "qr_code")
        if readings.text(outcome.value, "out_trade_no") != order.number or not content:
            return Unknown(reason="unreadable")
        expires_at = min(order.expires_at, self._now() + QR_LIFE)
        return Done(QrCode(content=content, expires_at=expires_at))

    def query(self, order: OrderKey) -> Outcome[Trade]:
        """Ask where the order stands. An order that nobody touched is not known there."""
        asked_at = self._now()
        outcome = self._wire.call("alipay.trade.query", {"out_trade_no": order.number})
        if isinstance(outcome, Rejected) and outcome.code == codes.NOT_EXIST:
            return Done(self._untouched(order, asked_at))
        if not isinstance(outcome, Done):
            return outcome
        try:
            trade = readings.trade_from_query(
                outcome.value, order, seller=self.merchant_number, app=self.app_number
            )
        except Unreadable:
            return Unknown(reason="unreadable")
        return Done(trade)

    def close(self, order: OrderKey) -> Outcome[Trade]:
        """Close the order. One that nobody touched cannot be closed, and lapses by itself."""
        asked_at = self._now()
        outcome = self._wire.call("alipay.trade.close", {"out_trade_no": order.number})
        if isinstance(outcome, Rejected) and outcome.code == codes.NOT_EXIST:
            return Done(self._untouched(order, asked_at))
        if isinstance(outcome, Rejected) and outcome.code in codes.MOVED_ON:
            return self.query(order)
        if not isinstance(outcome, Done):
            return outcome
        if readings.text(outcome.value, "out_trade_no") != order.number:
            return Unknown(reason="unreadable")
        return Done(
            self._trade(
                order,
                TradeState.CLOSED,
                gateway_number=readings.text(outcome.value, "trade_no"),
            )
        )

    def _untouched(self, order: OrderKey, asked_at: datetime) -> Trade:
        """Before its time is over the customer may still begin; afterwards nobody can."""
        is_over = asked_at > order.expires_at
        return self._trade(order, TradeState.CLOSED if is_over else TradeState.WAITING)

    def _trade(self, order: OrderKey, state: TradeState, *, gateway_number: str = "") -> Trade:
        return Trade(
            number=order.number,
            state=state,
            gateway_number=gateway_number,
            merchant=self.merchant_number,
            app=self.app_number,
        )

    # --- refunds ------------------------------------------------------------------------------

    def refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Give money back. Only `fund_change` Y, or the refund query, proves that it went."""
        biz = {
            "out_trade_no": ask.order.number,
            "refund_amount": ask.amount.decimal,
            "out_request_no": ask.number,
            "refund_reason": clean(ask.reason, REASON_MAX),
        }
        outcome = self._wire.call("alipay.trade.refund", biz)
        if isinstance(outcome, Rejected):
            return self._refund_refused(ask, outcome)
        if isinstance(outcome, Unknown):
            return outcome
        fields = outcome.value
        if readings.text(fields, "out_trade_no") != ask.order.number:
            return Unknown(reason="unreadable")
        if readings.text(fields, "fund_change") == "Y":
            finished_at = from_beijing(readings.text(fields, "gmt_refund_pay"))
            return Done(
                readings.refund_reading(
                    ask, RefundState.SUCCEEDED, self.merchant_number, finished_at=finished_at
                )
            )
        asked = self.query_refund(ask)
        if isinstance(asked, Done):
            return asked
        return Done(readings.refund_reading(ask, RefundState.PROCESSING, self.merchant_number))

    def _refund_refused(self, ask: RefundAsk, refused: Rejected) -> Outcome[RefundReading]:
        """A refusal because the order moved on may be the echo of an earlier try that worked."""
        if refused.code not in codes.MOVED_ON:
            return refused
        asked = self.query_refund(ask)
        if isinstance(asked, Unknown) and asked.reason == REFUND_NOT_KNOWN:
            return refused
        return refused if isinstance(asked, Rejected) else asked

    def query_refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Ask where the refund stands.

        An empty answer soon after the refund means nothing yet; later it means that the refund
        never arrived and is to be sent again, under the same number.
        """
        asked_at = self._now()
        biz = {
            "out_trade_no": ask.order.number,
            "out_request_no": ask.number,
            "query_options": ["gmt_refund_pay"],
        }
        outcome = self._wire.call("alipay.trade.fastpay.refund.query", biz)
        if not isinstance(outcome, Done):
            return outcome
        try:
            reading = readings.refund_from_query(outcome.value, ask, seller=self.merchant_number)
        except Unreadable:
            return Unknown(reason="unreadable")
        if reading is not None:
            return Done(reading)
        if asked_at - ask.created_at < REFUND_SETTLES:
            return Unknown(reason=REFUND_NOT_KNOWN)
        return Rejected(code=REFUND_NOT_KNOWN, message="Alipay knows no such refund.")

    # --- notifications --------------------------------------------------------------------------

    def read(self, message: RawMessage) -> Notification:
        """Verify over the received bytes, then parse. Raises NotAuthentic."""
        try:
            fields = read_form(message.body)
            signature = fields.get(b"sign", b"").decode("ascii", "replace")
            if not signature:
                raise NotAuthentic("unsigned")
            if fields.get(b"sign_type", b"RSA2") != b"RSA2":
                raise NotAuthentic("bad_signature")
            serial = fields.get(b"alipay_cert_sn", b"").decode("ascii", "replace")
            if not any(
                self._wire.is_authentic(text, signature, serial)
                for text in canonical_notices(fields)
            ):
                raise NotAuthentic("bad_signature")
            return readings.notification(decode_form(fields))
        except Unreadable as error:
            raise NotAuthentic("unreadable") from error

    def accept(self) -> Reply:
        """Exactly these seven bytes."""
        return Reply(status=200, body=b"success", content_type="text/plain; charset=utf-8")

    def refuse(self, reason: str) -> Reply:
        """Anything but the seven bytes; Alipay does not read it."""
        return Reply(status=400, body=b"failure", content_type="text/plain; charset=utf-8")


def clean(words: str, longest: int) -> str:
    """Text that Alipay takes: no control characters, none of its three forbidden signs, cut."""
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in words)
    return " ".join(kept.translate(_REFUSED_IN_SUBJECT).split())[:longest]
