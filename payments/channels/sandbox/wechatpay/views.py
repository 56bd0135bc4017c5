"""The addresses that merchants' servers call, and the hop of a phone's browser into the wallet."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificate
from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from payments.channels.sandbox import bills, enrolments, orders
from payments.channels.sandbox.faults import Fault, is_down, misbehaving, unavailable
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import GatewayName, SandboxOrder, SandboxRefund
from payments.channels.sandbox.speaker import Speaker
from payments.channels.sandbox.wechatpay import asks, enrolling, wire
from payments.channels.sandbox.wechatpay.bill import write_bill
from payments.channels.sandbox.wechatpay.call import Call
from payments.channels.sandbox.wechatpay.showing import (
    REFUND_STATES,
    rfc3339,
    show_order,
    show_refund,
)
from payments.channels.sandbox.wechatpay.wire import KeyMode, Refused

NAME: Final = GatewayName.WECHATPAY.value
BILL_ADDRESS_SECONDS: Final = 300


Handler: TypeAlias = Callable[..., dict[str, Any] | None]
"""Takes a Call and the address's parts; answers members, or None for "done, nothing to say"."""


def patterns(speaker: Speaker) -> list[URLPattern]:
    """The gateway's addresses, below its base."""

    @csrf_exempt
    @require_GET
    def bill_file(request: HttpRequest) -> HttpResponse:
        return _bill_file(request, keys_of(speaker))

    def merchant_call(
        method: str, handler: Handler, *, part: str = ""
    ) -> Callable[..., HttpResponse]:
        @misbehaving(NAME)
        def view(request: HttpRequest, *, fault: Fault | None, **parts: str) -> HttpResponse:
            def handle(call: Call) -> dict[str, Any] | None:
                return handler(call, **parts)

            return _serve(request, speaker, fault, method, handle, part=part)

        return view

    trades, refunds = "v3/pay/transactions/", "v3/refund/domestic/refunds"
    return [
        path(trades + "native", merchant_call("POST", _open_native)),
        path(trades + "h5", merchant_call("POST", _open_h5)),
        path(trades + "out-trade-no/<str:number>", merchant_call("GET", _query)),
        path(trades + "id/<str:transaction>", merchant_call("GET", _query)),
        path(trades + "out-trade-no/<str:number>/close", merchant_call("POST", _close)),
        path(refunds, merchant_call("POST", _refund)),
        path(refunds + "/<str:number>", merchant_call("GET", _query_refund)),
        path("v3/certificates", merchant_call("GET", _certificates)),
        path("v3/bill/tradebill", merchant_call("GET", _bill_address)),
        path("v3/billdownload/file", bill_file, name="wechatpay-bill"),
        path("v3/merchant/media/upload", merchant_call("POST", enrolling.upload, part="meta")),
        path("v3/applyment4sub/applyment/", merchant_call("POST", enrolling.apply)),
        path(
            "v3/applyment4sub/applyment/business_code/<str:number>",
            merchant_call("GET", enrolling.ask),
        ),
        path(
            "v3/applyment4sub/applyment/applyment_id/<str:applyment>",
            merchant_call("GET", enrolling.ask),
        ),
        path("h5/<str:token>/", enter_wallet, name="wechatpay-h5"),
    ]


def _serve(
    request: HttpRequest,
    speaker: Speaker,
    fault: Fault | None,
    method: str,
    handle: Callable[[Call], dict[str, Any] | None],
    *,
    part: str = "",
) -> HttpResponse:
    keys, at, mode = keys_of(speaker), timezone.now(), KeyMode.CERTIFICATE
    try:
        mode = wire.answer_mode(request, keys)
        _check_manners(request, method)
        wire.authenticate(request, keys, at, part=part)
        _play(fault)
        members = handle(Call(request=request, speaker=speaker, keys=keys, mode=mode, at=at))
        status = HTTPStatus.OK if members is not None else HTTPStatus.NO_CONTENT
    except Refused as no:
        status, members = no.status, no.members()
    except orders.GatewayRefusal as no:
        status, code, message = _REFUSALS[type(no)]
        members = {"code": code, "message": message}
    body = b"" if members is None else wire.to_bytes(members)
    headers = wire.signature_headers(keys, mode, body, at)
    if fault is Fault.BAD_SIGNATURE:
        headers["Wechatpay-Signature"] = wire.spoiled(headers["Wechatpay-Signature"])
    return HttpResponse(
        body, status=status, content_type="application/json; charset=utf-8", headers=headers
    )


def _check_manners(request: HttpRequest, method: str) -> None:
    if request.method != method:
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "INVALID_REQUEST", "请求方法有误")
    accepts = "application/json" in request.headers.get("Accept", "")
    if not accepts or not request.headers.get("User-Agent"):
        raise asks.bad("Accept, User-Agent")


def _play(fault: Fault | None) -> None:
    """Say in WeChat Pay's words what a planned fault wants said, before anything happens."""
    if fault is Fault.SYSTEM_ERROR:
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "SYSTEM_ERROR", "系统繁忙,请稍后重试")
    if fault is Fault.REFUSE:
        raise Refused(HTTPStatus.FORBIDDEN, "RULE_LIMIT", "业务规则限制")


_REFUSALS: Final[Mapping[type[orders.GatewayRefusal], tuple[HTTPStatus, str, str]]] = {
    orders.OrderUnknown: (HTTPStatus.NOT_FOUND, "ORDER_NOT_EXIST", "订单不存在"),
    orders.NumberReused: (HTTPStatus.FORBIDDEN, "OUT_TRADE_NO_USED", "商户订单号重复"),
    orders.OrderPaid: (HTTPStatus.BAD_REQUEST, "ORDERPAID", "该订单已支付"),
    orders.OrderClosed: (HTTPStatus.BAD_REQUEST, "ORDER_CLOSED", "订单已关闭"),
    orders.OrderNotPaid: (HTTPStatus.FORBIDDEN, "TRADE_ERROR", "订单状态不支持退款"),
    orders.RefundTooLarge: (HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "退款金额超过可退金额"),
    orders.RefundReused: (HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "请求参数与首次请求不一致"),
    orders.RefundUnknown: (HTTPStatus.NOT_FOUND, "RESOURCE_NOT_EXISTS", "退款单不存在"),
    enrolments.EnrolmentUnknown: (HTTPStatus.NOT_FOUND, "NOT_FOUND", "申请单不存在"),
    enrolments.EnrolmentBusy: (HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "申请单审核中"),
}


def _open_native(call: Call) -> dict[str, Any]:
    order = _place(call, "native")
    return {"code_url": settings.BASE_URL + reverse("sandbox:wallet", args=[order.token])}


def _open_h5(call: Call) -> dict[str, Any]:
    order = _place(call, "h5")
    return {"h5_url": settings.BASE_URL + reverse("sandbox:wechatpay-h5", args=[order.token])}


def _place(call: Call, product: str) -> SandboxOrder:
    ask = asks.read_order(call.request.body, product, call.keys, call.at)
    return orders.place(
        orders.OrderAsk(
            gateway=NAME,
            merchant=call.merchant,
            number=ask.number,
            gateway_number="4200" + orders.new_digits(call.at, 24),
            product=product,
            amount=ask.amount,
            subject=ask.description,
            notify_url=ask.notify_url,
            reference=ask.attach,
            expires_at=ask.expires_at,
            fields={"appid": ask.app, "attach": ask.attach, "mode": call.mode},
        ),
        at=call.at,
    )


def _query(call: Call, *, number: str = "", transaction: str = "") -> dict[str, Any]:
    if call.request.GET.get("mchid") != call.merchant:
        raise asks.bad("mchid")
    return show_order(orders.find(NAME, call.merchant, number=number, gateway_number=transaction))


def _close(call: Call, *, number: str) -> None:
    asks.own_merchant(asks.Body.parse(call.request.body), call.keys)
    order = orders.find(NAME, call.merchant, number=number)
    orders.close(order.pk, at=call.at)


def _refund(call: Call) -> dict[str, Any]:
    """Accept a refund. It is said to be processing; asked later, or notified, it is done."""
    ask = asks.read_refund(call.request.body)
    order = orders.find(
        NAME, call.merchant, number=ask.order_number, gateway_number=ask.transaction
    )
    taken = _refunds(call).filter(number=ask.number).exclude(order=order).exists()
    if taken or ask.total != order.amount:
        raise Refused(*_REFUSALS[orders.RefundReused])
    refund, is_new = orders.refund(
        order.pk,
        number=ask.number,
        gateway_number="5030" + orders.new_digits(call.at, 24),
        amount=ask.amount,
        notify_url=ask.notify_url,
        at=call.at,
    )
    if is_new and ask.notify_url:
        orders.announce(order, call.speaker, at=call.at, of=refund)
    return show_refund(refund, "PROCESSING" if is_new else REFUND_STATES[refund.state])


def _query_refund(call: Call, *, number: str) -> dict[str, Any]:
    refund = _refunds(call).filter(number=number).first()
    if refund is None:
        raise orders.RefundUnknown
    return show_refund(refund, REFUND_STATES[refund.state])


def _certificates(call: Call) -> dict[str, Any]:
    pem = call.keys["certificate"]
    certificate = load_pem_x509_certificate(pem.encode())
    shown = {
        "serial_no": call.keys["certificate_serial"],
        "effective_time": rfc3339(certificate.not_valid_before_utc),
        "expire_time": rfc3339(certificate.not_valid_after_utc),
        "encrypt_certificate": wire.sealed(call.keys, pem.encode(), "certificate"),
    }
    return {"data": [shown]}


def _bill_address(call: Call) -> dict[str, Any]:
    """Where the bill lies, and the SHA-1 of what is inside the compressed file."""
    asked = call.request.GET
    try:
        day = date.fromisoformat(asked.get("bill_date", ""))
    except ValueError:
        raise asks.bad("bill_date") from None
    if asked.get("bill_type") != "ALL" or asked.get("tar_type") != "GZIP":
        raise asks.bad("bill_type, tar_type")
    deeds = bills.published(NAME, day, at=call.at)
    if deeds is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "NO_STATEMENT_EXIST", "账单文件不存在")
    token = signing.dumps(day.isoformat(), salt=NAME)
    url = call.request.build_absolute_uri(reverse("sandbox:wechatpay-bill"))
    written = write_bill(deeds, call.keys)
    return {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(written, usedforsecurity=False).hexdigest(),
        "download_url": f"{url}?token={token}",
    }


def _bill_file(request: HttpRequest, keys: Mapping[str, str]) -> HttpResponse:
    """The file itself: asked for with a signature, answered without one."""
    if is_down(NAME):
        return unavailable()
    try:
        wire.authenticate(request, keys, timezone.now())
        day = signing.loads(request.GET.get("token", ""), salt=NAME, max_age=BILL_ADDRESS_SECONDS)
    except Refused as no:
        return HttpResponse(wire.to_bytes({"code": no.code}), status=no.status)
    except signing.BadSignature:
        raise Http404 from None
    deeds = bills.published(NAME, date.fromisoformat(day), at=timezone.now())
    if deeds is None:
        raise Http404
    return HttpResponse(gzip.compress(write_bill(deeds, keys), mtime=0), content_type="text/plain")


@require_GET
def enter_wallet(request: HttpRequest, token: str) -> HttpResponse:
    """A phone's browser follows h5_url; `redirect_url` says where it wants to go after paying."""
    order = get_object_or_404(SandboxOrder, token=token, gateway=NAME)
    back = request.GET.get("redirect_url", "")
    if urlsplit(back).scheme in {"http", "https"}:
        order.return_url = back[:2048]
        order.save(update_fields=["return_url"])
    return HttpResponseRedirect(reverse("sandbox:wallet", args=[order.token]))


def _refunds(call: Call) -> QuerySet[SandboxRefund]:
    return SandboxRefund.objects.select_related("order").filter(
        order__gateway=NAME, order__merchant=call.merchant
    )
