"""UnionPay's three addresses: the page for browsers, and the two that merchants' servers call."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.channels.sandbox import bills, faults, orders
from payments.channels.sandbox.faults import Fault, misbehaving
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import (
    GatewayName,
    OrderState,
    SandboxOrder,
    SandboxRefund,
)
from payments.channels.sandbox.speaker import Speaker
from payments.channels.sandbox.unionpay import wire
from payments.channels.sandbox.unionpay.bill import pack_files
from payments.channels.sandbox.unionpay.showing import show_order, show_paid, show_refund
from payments.channels.sandbox.unionpay.wire import MESSAGES, Refused
from payments.money import Money

GATEWAY: Final = GatewayName.UNIONPAY.value
QUERY_ID_LENGTH: Final = 21
ECHOED: Final = (
    "version", "encoding", "signMethod", "accessType", "merId", "orderId", "txnTime", "txnType",
    "txnSubType", "bizType", "reqReserved",
)  # fmt: skip
"""What an answer repeats from its request."""

_NUMBER: Final = re.compile(r"[0-9A-Za-z]{8,40}", re.ASCII)
_FEN: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
_URL: Final = re.compile(r"https?://\S{1,500}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}", re.ASCII)
_COMMODITY: Final = re.compile(r"\{commodityName=([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A merchant's request whose signature is good."""

    fields: Mapping[str, str]
    speaker: Speaker
    at: datetime

    def text(self, name: str, shape: re.Pattern[str]) -> str:
        """A field that must be there and have a shape. Raises Refused."""
        value = self.fields.get(name, "")
        if not value:
            raise Refused("13")
        if not shape.fullmatch(value):
            raise Refused("10")
        return value

    @property
    def kind(self) -> tuple[str, str, str]:
        """Which transaction: txnType, txnSubType, bizType."""
        fields = self.fields
        return fields.get("txnType", ""), fields.get("txnSubType", ""), fields.get("bizType", "")

    @property
    def number(self) -> str:
        """The merchant's number of the transaction."""
        return self.text("orderId", _NUMBER)

    @property
    def amount(self) -> Money:
        """What to charge or give back."""
        return Money(int(self.text("txnAmt", _FEN)), "CNY")


def patterns(speaker: Speaker) -> list[URLPattern]:
    """The gateway's addresses, mounted where the channel's base URL points."""

    @csrf_exempt
    @require_POST
    def front(request: HttpRequest) -> HttpResponse:
        return _front(request, speaker)

    @misbehaving(GATEWAY)
    @require_POST
    def back(request: HttpRequest, *, fault: Fault | None) -> HttpResponse:
        return _answer(request, speaker, fault, _act)

    @misbehaving(GATEWAY)
    @require_POST
    def query(request: HttpRequest, *, fault: Fault | None) -> HttpResponse:
        return _answer(request, speaker, fault, _query)

    @misbehaving(GATEWAY)
    @require_POST
    def files(request: HttpRequest, *, fault: Fault | None) -> HttpResponse:
        return _answer(request, speaker, fault, _file)

    return [
        path("gateway/api/frontTransReq.do", front, name="unionpay-front"),
        path("gateway/api/backTransReq.do", back, name="unionpay-back"),
        path("gateway/api/queryTrans.do", query, name="unionpay-query"),
        path("file/", files, name="unionpay-files"),
    ]


def _front(request: HttpRequest, speaker: Speaker) -> HttpResponse:
    """A customer's browser brings the merchant's form."""
    if faults.is_down(GATEWAY):
        return faults.unavailable()
    try:
        order = _enter(_read(request, speaker))
    except Refused as no:
        text = f"{no.code} {MESSAGES[no.code]}"
        content_type = "text/plain; charset=utf-8"
        return HttpResponse(text, status=HTTPStatus.BAD_REQUEST, content_type=content_type)
    return HttpResponseRedirect(reverse("sandbox:wallet", args=[order.token]))


def _enter(asked: Asked) -> SandboxOrder:
    if asked.kind != ("01", "01", "000201"):
        raise Refused("10")
    asked.text("frontUrl", _URL)
    return _place(asked, "gateway")


def _answer(
    request: HttpRequest,
    speaker: Speaker,
    fault: Fault | None,
    do: Callable[[Asked], dict[str, str]],
) -> HttpResponse:
    """A merchant's server asks; the answer is raw and signed, a refusal too."""
    echo = {name: request.POST[name] for name in ECHOED if name in request.POST}
    try:
        asked = _read(request, speaker)
        _play(fault)
        told = {**echo, **do(asked)}
    except Refused as no:
        told = {**echo, "respCode": no.code, "respMsg": MESSAGES[no.code]}
    signed = wire.signed(told, keys_of(speaker))
    if fault is Fault.BAD_SIGNATURE:
        signed["signature"] = wire.flipped(signed["signature"])
    return HttpResponse(wire.raw(signed), content_type="text/html;charset=UTF-8")


def _play(fault: Fault | None) -> None:
    """Say in UnionPay's words what a planned fault wants said, before anything happens."""
    if fault is Fault.SYSTEM_ERROR:
        raise Refused("02")
    if fault is Fault.REFUSE:
        raise Refused("30")


def _read(request: HttpRequest, speaker: Speaker) -> Asked:
    """Take the form apart and verify it. Raises Refused."""
    if any(len(values) != 1 for _, values in request.POST.lists()):
        raise Refused("10")
    fields = {name: str(value) for name, value in request.POST.items()}
    wire.require_signed(fields, keys_of(speaker))
    asked = Asked(fields, speaker, timezone.now())
    wire.parse_moment(fields.get("txnTime", ""))
    return asked


def _act(asked: Asked) -> dict[str, str]:
    match asked.kind:
        case ("01", "07", "000000"):
            order = _place(asked, "qr")
            content = settings.BASE_URL + reverse("sandbox:wallet", args=[order.token])
            return {"respCode": "00", "respMsg": MESSAGES["00"], "qrCode": content}
        case ("04", "00", "000201" | "000000"):
            return _refund(asked)
        case _:
            raise Refused("10")


def _place(asked: Asked, product: str) -> SandboxOrder:
    """Register a purchase. A form may come again while unpaid; a QR code is given out once."""
    if asked.fields.get("currencyCode") != "156":
        raise Refused("10")
    deadline = asked.fields.get("payTimeout", "")
    commodity = _COMMODITY.search(asked.fields.get("riskRateInfo", ""))
    ask = orders.OrderAsk(
        gateway=GATEWAY,
        merchant=asked.fields["merId"],
        number=asked.number,
        gateway_number=orders.new_digits(asked.at, QUERY_ID_LENGTH),
        product=product,
        amount=asked.amount,
        subject=commodity[1] if commodity else asked.fields.get("orderDesc", ""),
        notify_url=asked.text("backUrl", _URL),
        return_url=asked.fields.get("frontUrl", ""),
        reference=asked.fields.get("reqReserved", ""),
        expires_at=wire.parse_moment(deadline) if deadline else None,
        fields={name: asked.fields[name] for name in ("txnTime", "txnSubType", "bizType")},
    )
    try:
        order = orders.place(ask, at=asked.at)
    except orders.NumberReused as error:
        raise Refused("12") from error
    except (orders.OrderPaid, orders.OrderClosed) as error:
        if product == "qr":
            raise Refused("12") from error
        order = orders.find(GATEWAY, ask.merchant, number=ask.number)
    is_new = order.gateway_number == ask.gateway_number
    is_same = order.fields["txnTime"] == asked.fields["txnTime"]
    if not is_new and not (product == "gateway" and is_same):
        raise Refused("12")
    return order


def _refund(asked: Asked) -> dict[str, str]:
    """Take a refund; a repeat is refused as a duplicate, whatever it says."""
    asked.text("backUrl", _URL)
    known = SandboxRefund.objects.filter(order__gateway=GATEWAY, number=asked.number)
    if known.exists():
        raise Refused("12")
    try:
        order = orders.find(
            GATEWAY, asked.fields["merId"], gateway_number=asked.fields.get("origQryId", "-")
        )
        made, is_new = orders.refund(
            order.pk,
            number=asked.number,
            gateway_number=orders.new_digits(asked.at, QUERY_ID_LENGTH),
            amount=asked.amount,
            at=asked.at,
            notify_url=asked.fields["backUrl"],
            fields={"txnTime": asked.fields["txnTime"]},
        )
    except (orders.OrderUnknown, orders.OrderNotPaid) as error:
        raise Refused("35") from error
    except orders.RefundTooLarge as error:
        raise Refused("36") from error
    except orders.RefundReused as error:
        raise Refused("12") from error
    if not is_new:
        raise Refused("12")
    orders.announce(order, asked.speaker, at=asked.at, of=made)
    return {
        "origQryId": order.gateway_number,
        "queryId": made.gateway_number,
        "txnAmt": str(made.amount_minor),
        "respCode": "00",
        "respMsg": MESSAGES["00"],
    }


def _query(asked: Asked) -> dict[str, str]:
    """respCode speaks of the query, origRespCode of the transaction."""
    if asked.kind[:2] != ("00", "00"):
        raise Refused("10")
    merchant, at = asked.fields["merId"], {"fields__txnTime": asked.fields["txnTime"]}
    number = asked.number
    refund = (
        SandboxRefund.objects.select_related("order")
        .filter(order__gateway=GATEWAY, order__merchant=merchant, number=number, **at)
        .first()
    )
    if refund is not None:
        return {**show_refund(refund), **_original("00")}
    order = SandboxOrder.objects.filter(
        gateway=GATEWAY, merchant=merchant, number=number, **at
    ).first()
    if order is None:
        raise Refused("34")
    if order.state == OrderState.PAID:
        return {**show_paid(order), **_original("00")}
    is_over = order.state == OrderState.CLOSED or order.has_lapsed(asked.at)
    if order.product == "gateway":
        # The page is there, but until a card was tried there is no transaction.
        raise Refused("34")
    shown = {**show_order(order), "txnAmt": str(order.amount_minor), "settleAmt": "0"}
    return {**shown, **_original("39" if is_over else "05")}


def _file(asked: Asked) -> dict[str, str]:
    """The files of a clearing day, which is named without its year."""
    if asked.kind != ("76", "01", "000000") or asked.fields.get("fileType") != "00":
        raise Refused("10")
    day = _clearing_day(asked.text("settleDate", _DAY), asked.at)
    deeds = bills.published(GATEWAY, day, at=asked.at)
    if deeds is None:
        raise Refused("98")
    return {
        "fileName": f"INN{day:%y%m%d}.zip",
        "fileContent": pack_files(deeds, asked.fields["merId"], day),
        "respCode": "00",
        "respMsg": MESSAGES["00"],
    }


def _clearing_day(text: str, at: datetime) -> date:
    today = at.astimezone(wire.BEIJING).date()
    for year in (today.year + 1, today.year, today.year - 1):
        try:
            day = date(year, int(text[:2]), int(text[2:]))
        except ValueError:
            continue
        if day <= today:
            return day
    raise Refused("10")


def _original(code: str) -> dict[str, str]:
    return {
        "respCode": "00",
        "respMsg": MESSAGES["00"],
        "origRespCode": code,
        "origRespMsg": MESSAGES[code],
    }
