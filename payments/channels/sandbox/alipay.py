"""Alipay as played by the sandbox: the v1 gateway with RSA2, written from the gateway's side."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from payments.channels.sandbox import alipay_wire as wire
from payments.channels.sandbox import keyring, orders
from payments.channels.sandbox.alipay_wire import Asked, No
from payments.channels.sandbox.faults import Fault, is_down, misbehaving, unavailable
from payments.channels.sandbox.models import (
    GatewayName,
    OrderState,
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.speaker import Letter, WayBack

MINUTE: Final = 60
HOUR: Final = 3600
QR_LIFE: Final = timedelta(hours=2)
BROWSER_PRODUCTS: Final = {
    "alipay.trade.page.pay": ("page", "FAST_INSTANT_TRADE_PAY"),
    "alipay.trade.wap.pay": ("wap", "QUICK_WAP_WAY"),
}
TELLS_CLOSING: Final = frozenset({"wap"})
"""Products whose merchants hear of TRADE_CLOSED too."""


class AlipaySpeaker:
    """Fulfils `Speaker`."""

    name: ClassVar[str] = GatewayName.ALIPAY
    label: ClassVar[str] = "Alipay"
    retry_gaps: ClassVar[Sequence[int]] = (
        4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR,
    )  # fmt: skip
    urlpatterns: Sequence[URLPattern]

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
        return status == 200 and body == b"success"  # noqa: PLR2004

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


# --- the endpoint ---------------------------------------------------------------------------------


@csrf_exempt
def gateway(request: HttpRequest) -> HttpResponse:
    """gateway.do: parameters in the query, in the form, or in both."""
    try:
        params = wire.parameters(request)
        if params.get("method", "") in BROWSER_PRODUCTS:
            return _browser(params)
    except No as no:
        return wire.error_page(no)
    answer: HttpResponse = _server(request, params=params)
    return answer


def _browser(params: Mapping[str, str]) -> HttpResponse:
    """page.pay and wap.pay: a customer's browser comes with an order and goes on to the wallet."""
    if is_down(SPEAKER.name):
        return unavailable()
    keys = keyring.keys_of(SPEAKER)
    asked = wire.check(params, keys, at=timezone.now())
    product, product_code = BROWSER_PRODUCTS[asked.method]
    if asked.need("product_code") != product_code:
        raise No("40004", "ACQ.ACCESS_FORBIDDEN", "无权限使用接口")
    order = _place(asked, keys, product)
    return HttpResponseRedirect(_wallet_address(order))


@misbehaving(GatewayName.ALIPAY)
def _server(
    request: HttpRequest, *, params: Mapping[str, str], fault: Fault | None
) -> HttpResponse:
    """A merchant's server calls."""
    method, is_spoiled = params.get("method", ""), fault is Fault.BAD_SIGNATURE
    keys = keyring.keys_of(SPEAKER)
    try:
        asked = wire.check(params, keys, at=timezone.now())
        if fault is Fault.SYSTEM_ERROR:
            raise No("40004", "ACQ.SYSTEM_ERROR", "系统错误")
        if fault is Fault.REFUSE:
            code = "SELLER_BALANCE_NOT_ENOUGH" if method == REFUND else "ACCESS_FORBIDDEN"
            raise No("40004", f"ACQ.{code}", "业务拒绝")
        said = _VERBS[method](asked, keys)
    except No as no:
        return wire.answer(method, no.fields(), keys, is_signed=no.is_signed, is_spoiled=is_spoiled)
    node = {"code": "10000", "msg": "Success", **said}
    return wire.answer(method, node, keys, is_spoiled=is_spoiled)


def _place(asked: Asked, keys: Mapping[str, str], product: str) -> SandboxOrder:
    at = timezone.now()
    ask = orders.OrderAsk(
        gateway=SPEAKER.name,
        merchant=keys["seller_id"],
        number=asked.number("out_trade_no"),
        gateway_number=orders.new_digits(at, 28),
        product=product,
        amount=asked.amount("total_amount"),
        subject=asked.need("subject", most=256),
        notify_url=asked.params.get("notify_url", ""),
        return_url=asked.params.get("return_url", ""),
        reference=asked.echo(),
        expires_at=asked.end(at),
        fields={
            "charset": asked.params["charset"],
            "passback_params": asked.biz.get("passback_params", ""),
        },
    )
    try:
        return orders.place(ask, at=at)
    except orders.NumberReused as error:
        raise No("40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改") from error
    except orders.OrderPaid as error:
        raise No("40004", "ACQ.TRADE_HAS_SUCCESS", "交易已被支付") from error
    except orders.OrderClosed as error:
        raise No("40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭") from error


def _wallet_address(order: SandboxOrder) -> str:
    return settings.BASE_URL + reverse("sandbox:wallet", args=[order.token])


def _find(asked: Asked, keys: Mapping[str, str]) -> SandboxOrder:
    """An order that a customer has begun. Before that, and when it lapsed untouched, there is none."""
    try:
        order = orders.find(
            SPEAKER.name,
            keys["seller_id"],
            number=asked.text("out_trade_no"),
            gateway_number=asked.text("trade_no"),
        )
    except orders.OrderUnknown as error:
        raise No("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在") from error
    if order.seen_at is None:
        raise No("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
    return order


def _status(order: SandboxOrder) -> str:
    if order.state == OrderState.PAID:
        return "TRADE_CLOSED" if orders.refunded(order) >= order.paid else "TRADE_SUCCESS"
    if order.state == OrderState.CLOSED or order.has_lapsed(timezone.now()):
        return "TRADE_CLOSED"
    return "WAIT_BUYER_PAY"


def _named(order: SandboxOrder) -> dict[str, Any]:
    return {"out_trade_no": order.number, "trade_no": order.gateway_number}


def _precreate(asked: Asked, keys: Mapping[str, str]) -> dict[str, Any]:
    order = _place(asked, keys, "precreate")
    return {"out_trade_no": order.number, "qr_code": _wallet_address(order)}


def _query(asked: Asked, keys: Mapping[str, str]) -> dict[str, Any]:
    order = _find(asked, keys)
    said = _named(order) | {
        "trade_status": _status(order),
        "buyer_logon_id": "159****5620",
        "buyer_user_id": "2088102122458832",
        "total_amount": order.amount.decimal,
        "receipt_amount": "0.00",
        "buyer_pay_amount": "0.00",
        "point_amount": "0.00",
        "invoice_amount": "0.00",
    }
    if order.state != OrderState.PAID or order.paid_at is None:
        return said
    paid = order.paid.decimal
    return said | {
        "total_amount": paid,
        "receipt_amount": paid,
        "buyer_pay_amount": paid,
        "send_pay_date": wire.clock(order.paid_at),
        "fund_bill_list": [{"amount": paid, "fund_channel": "ALIPAYACCOUNT"}],
    }


def _close(asked: Asked, keys: Mapping[str, str]) -> dict[str, Any]:
    order = _find(asked, keys)
    if _status(order) != "WAIT_BUYER_PAY":
        raise No("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    try:
        orders.close(order.pk, at=timezone.now())
    except orders.OrderPaid as error:
        raise No("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法") from error
    return _named(order)


def _refund(asked: Asked, keys: Mapping[str, str]) -> dict[str, Any]:
    order, amount = _find(asked, keys), asked.amount("refund_amount")
    number, at = asked.text("out_request_no") or order.number, timezone.now()
    if not asked.text("out_request_no") and amount != order.paid:
        raise No("40002", "isv.invalid-parameter", "部分退款必须传入退款请求号")
    try:
        made, is_new = orders.refund(
            order.pk,
            number=number,
            gateway_number=orders.new_digits(at, 28),
            amount=amount,
            at=at,
        )
    except orders.RefundReused as error:
        raise No("40004", "ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求") from error
    except orders.OrderNotPaid as error:
        raise No("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法") from error
    except orders.RefundTooLarge as error:
        if orders.refunded(order) >= order.paid:
            raise No("40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭") from error
        raise No("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限") from error
    if is_new and order.notify_url:
        orders.announce(order, SPEAKER, at=at, of=made)
    return _named(order) | {
        "buyer_logon_id": "159****5620",
        "fund_change": "Y" if is_new else "N",
        "refund_fee": orders.refunded(order).decimal,
        "gmt_refund_pay": wire.clock(made.created_at),
    }


def _query_refund(asked: Asked, keys: Mapping[str, str]) -> dict[str, Any]:
    order = _find(asked, keys)
    try:
        made = orders.find_refund(order, asked.need("out_request_no"))
    except orders.RefundUnknown:
        return {}
    said = _named(order) | {
        "out_request_no": made.number,
        "refund_amount": made.amount.decimal,
        "total_amount": order.paid.decimal,
        "refund_status": "REFUND_SUCCESS",
    }
    if "gmt_refund_pay" in asked.biz.get("query_options", ()):
        said["gmt_refund_pay"] = wire.clock(made.created_at)
    return said


REFUND: Final = "alipay.trade.refund"
_VERBS: Final[dict[str, Callable[[Asked, Mapping[str, str]], dict[str, Any]]]] = {
    "alipay.trade.precreate": _precreate,
    "alipay.trade.query": _query,
    "alipay.trade.close": _close,
    REFUND: _refund,
    "alipay.trade.fastpay.refund.query": _query_refund,
}
wire.METHODS.update({*_VERBS, *BROWSER_PRODUCTS})
SPEAKER.urlpatterns = [path("gateway.do", gateway, name="alipay-gateway")]
