"""The address that merchants' servers and customers' browsers call: gateway.do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from payments.channels.sandbox import bills, orders
from payments.channels.sandbox.alipay import enrolling, wire
from payments.channels.sandbox.alipay.bill import write_bill
from payments.channels.sandbox.alipay.wire import Asked, No
from payments.channels.sandbox.faults import Fault, is_down, misbehaving, unavailable
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import GatewayName, OrderState, SandboxOrder
from payments.channels.sandbox.speaker import Speaker

NAME: Final = GatewayName.ALIPAY.value
BILL_ADDRESS_SECONDS: Final = 30
BROWSER_PRODUCTS: Final = {
    "alipay.trade.page.pay": ("page", "FAST_INSTANT_TRADE_PAY"),
    "alipay.trade.wap.pay": ("wap", "QUICK_WAP_WAY"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    asked: Asked
    keys: Mapping[str, str]
    speaker: Speaker
    address: str
    """Where the caller reached us."""

    @property
    def merchant(self) -> str:
        """Whose request it is."""
        return self.keys["seller_id"]


def patterns(speaker: Speaker) -> list[URLPattern]:
    """The gateway's one address."""

    @csrf_exempt
    def gateway(request: HttpRequest) -> HttpResponse:
        try:
            params = wire.parameters(request)
            if params.get("method", "") in BROWSER_PRODUCTS:
                return _browser(params, speaker)
        except No as no:
            return wire.error_page(no)
        return _server(request, params=params, speaker=speaker)

    return [
        path("gateway.do", gateway, name="alipay-gateway"),
        path("bill/<str:token>/", _bill_file, name="alipay-bill"),
    ]


def _browser(params: Mapping[str, str], speaker: Speaker) -> HttpResponse:
    """page.pay and wap.pay: a customer's browser comes with an order and goes on to the wallet."""
    if is_down(NAME):
        return unavailable()
    keys = keys_of(speaker)
    asked = wire.check(params, keys, at=timezone.now())
    product, product_code = BROWSER_PRODUCTS[asked.method]
    if asked.need("product_code") != product_code:
        raise No("40004", "ACQ.ACCESS_FORBIDDEN", "无权限使用接口")
    order = _place(Call(asked, keys, speaker, ""), product)
    return HttpResponseRedirect(_wallet_address(order))


@misbehaving(NAME)
def _server(
    request: HttpRequest, *, params: Mapping[str, str], speaker: Speaker, fault: Fault | None
) -> HttpResponse:
    """A merchant's server calls."""
    method, is_spoiled = params.get("method", ""), fault is Fault.BAD_SIGNATURE
    keys = keys_of(speaker)
    try:
        asked = wire.check(params, keys, at=timezone.now())
        _misbehave(fault, method)
        call = Call(asked, keys, speaker, request.build_absolute_uri("/"))
        said = enrolling.upload(request, asked) if method == UPLOAD else _VERBS[method](call)
    except No as no:
        return wire.answer(method, no.fields(), keys, is_signed=no.is_signed, is_spoiled=is_spoiled)
    node = {"code": "10000", "msg": "Success", **said}
    return wire.answer(method, node, keys, is_spoiled=is_spoiled)


def _misbehave(fault: Fault | None, method: str) -> None:
    if fault is Fault.SYSTEM_ERROR:
        raise No("40004", "ACQ.SYSTEM_ERROR", "系统错误")
    if fault is Fault.REFUSE:
        code = "SELLER_BALANCE_NOT_ENOUGH" if method == REFUND else "ACCESS_FORBIDDEN"
        raise No("40004", f"ACQ.{code}", "业务拒绝")


def _place(call: Call, product: str) -> SandboxOrder:
    at = timezone.now()
    ask = orders.OrderAsk(
        gateway=NAME,
        merchant=call.merchant,
        number=call.asked.number("out_trade_no"),
        gateway_number=orders.new_digits(at, 28),
        product=product,
        amount=call.asked.amount("total_amount"),
        subject=call.asked.need("subject", most=256),
        notify_url=call.asked.params.get("notify_url", ""),
        return_url=call.asked.params.get("return_url", ""),
        reference=call.asked.echo(),
        expires_at=call.asked.end(at),
        fields={
            "charset": call.asked.params["charset"],
            "passback_params": call.asked.biz.get("passback_params", ""),
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


def _find(call: Call) -> SandboxOrder:
    """An order that a customer has begun. Alipay knows no other."""
    try:
        order = orders.find(
            NAME,
            call.merchant,
            number=call.asked.text("out_trade_no"),
            gateway_number=call.asked.text("trade_no"),
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


def _precreate(call: Call) -> dict[str, Any]:
    order = _place(call, "precreate")
    return {"out_trade_no": order.number, "qr_code": _wallet_address(order)}


def _query(call: Call) -> dict[str, Any]:
    order = _find(call)
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


def _close(call: Call) -> dict[str, Any]:
    order = _find(call)
    if _status(order) != "WAIT_BUYER_PAY":
        raise No("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    try:
        orders.close(order.pk, at=timezone.now())
    except orders.OrderPaid as error:
        raise No("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法") from error
    return _named(order)


def _refund(call: Call) -> dict[str, Any]:
    order, amount = _find(call), call.asked.amount("refund_amount")
    number, at = call.asked.text("out_request_no") or order.number, timezone.now()
    if not call.asked.text("out_request_no") and amount != order.paid:
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
        orders.announce(order, call.speaker, at=at, of=made)
    return _named(order) | {
        "buyer_logon_id": "159****5620",
        "fund_change": "Y" if is_new else "N",
        "refund_fee": orders.refunded(order).decimal,
        "gmt_refund_pay": wire.clock(made.created_at),
    }


def _query_refund(call: Call) -> dict[str, Any]:
    order = _find(call)
    try:
        made = orders.find_refund(order, call.asked.need("out_request_no"))
    except orders.RefundUnknown:
        return {}
    said = _named(order) | {
        "out_request_no": made.number,
        "refund_amount": made.amount.decimal,
        "total_amount": order.paid.decimal,
        "refund_status": "REFUND_SUCCESS",
    }
    if "gmt_refund_pay" in call.asked.biz.get("query_options", ()):
        said["gmt_refund_pay"] = wire.clock(made.created_at)
    return said


def _bill_address(call: Call) -> dict[str, Any]:
    """Where the bill lies, for half a minute. No bill: an error, not an empty file."""
    try:
        day = date.fromisoformat(call.asked.need("bill_date"))
    except ValueError as error:
        raise No("40002", "isv.invalid-parameter", "参数无效: bill_date") from error
    if call.asked.text("bill_type") != "trade":
        raise No("40002", "isv.invalid-parameter", "参数无效: bill_type")
    if bills.published(NAME, day, at=timezone.now()) is None:
        raise No("40004", "isp.bill_not_exist", "账单不存在")
    token = signing.dumps([day.isoformat(), call.merchant], salt=NAME)
    address = call.address.rstrip("/") + reverse("sandbox:alipay-bill", args=[token])
    return {"bill_download_url": address}


@require_GET
def _bill_file(request: HttpRequest, token: str) -> HttpResponse:
    try:
        day, seller = signing.loads(token, salt=NAME, max_age=BILL_ADDRESS_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    deeds = bills.published(NAME, date.fromisoformat(day), at=timezone.now())
    if is_down(NAME) or deeds is None:
        return unavailable()
    packed = write_bill(deeds, seller, date.fromisoformat(day))
    return HttpResponse(packed, content_type="application/zip")


REFUND: Final = "alipay.trade.refund"
UPLOAD: Final = enrolling.UPLOAD
_VERBS: Final[dict[str, Callable[[Call], dict[str, Any]]]] = {
    "alipay.trade.precreate": _precreate,
    "alipay.trade.query": _query,
    "alipay.trade.close": _close,
    REFUND: _refund,
    "alipay.trade.fastpay.refund.query": _query_refund,
    "alipay.data.dataservice.bill.downloadurl.query": _bill_address,
    enrolling.CREATE: lambda call: enrolling.create(call.asked, call.merchant),
    enrolling.QUERY: lambda call: enrolling.query(call.asked, call.merchant),
}
wire.METHODS.update({*_VERBS, *BROWSER_PRODUCTS, UPLOAD})
