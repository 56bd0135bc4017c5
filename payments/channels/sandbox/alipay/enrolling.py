"""Applications of a platform's merchants, as Alipay takes and reviews them (直付通)."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from payments.channels.sandbox import enrolments
from payments.channels.sandbox.alipay import wire
from payments.channels.sandbox.alipay.wire import Asked, No
from payments.channels.sandbox.models import EnrolmentState, GatewayName, SandboxEnrolment
from payments.channels.sandbox.orders import new_digits

NAME: Final = GatewayName.ALIPAY.value
CREATE: Final = "ant.merchant.expand.indirect.zft.create"
QUERY: Final = "ant.merchant.expand.indirect.zftorder.query"
UPLOAD: Final = "ant.merchant.expand.indirect.image.upload"

_WANTED: Final = (
    "external_id", "name", "merchant_type", "mcc", "cert_type", "cert_no", "legal_name",
    "legal_cert_no", "service_phone", "contact_infos", "service", "default_settle_rule",
    "binding_alipay_logon_id",
)  # fmt: skip
_PICTURES: Final = ("cert_image", "legal_cert_front_image", "legal_cert_back_image")
_STATUS: Final = {
    EnrolmentState.AUDITING: ("031", "CREATE", "SKIP"),
    EnrolmentState.REJECTED: ("-1", "REJECT", "SKIP"),
    EnrolmentState.TO_BE_CONFIRMED: ("031", "CREATE", "CREATE"),
    EnrolmentState.TO_BE_SIGNED: ("031", "PASS", "CREATE"),
    EnrolmentState.SIGNING: ("031", "PASS", "FINISH"),
    EnrolmentState.FINISHED: ("99", "PASS", "FINISH"),
    EnrolmentState.CANCELED: ("-1", "PASS", "NOT_CONFIRM"),
    EnrolmentState.ODD: ("7", "PASS", "SKIP"),
}
"""`status`, `kz_audit` and `sub_confirm`."""


def upload(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """A picture; its form is told beside it."""
    file = request.FILES.get("image_content")
    if file is None or asked.params.get("image_type") not in {"jpg", "jpeg", "png", "bmp"}:
        raise No("40004", "INVALID_PARAMETER", "参数有误: image_content")
    digest = hashlib.sha256(file.read()).hexdigest()
    return {"image_id": enrolments.keep_picture(gateway=NAME, sha256=digest)}


def create(asked: Asked, merchant: str) -> dict[str, Any]:
    """Take an application in, after looking at what a machine can look at."""
    for name in _WANTED:
        if not asked.biz.get(name):
            raise No("40004", "INVALID_PARAMETER", f"参数有误: {name}")
    for name in _PICTURES:
        if not enrolments.has_picture(NAME, asked.biz.get(name)):
            raise No("40004", "INVALID_PARAMETER", f"参数有误: {name}")
    if not enrolments.is_identity(asked.text("legal_cert_no")):
        raise No("40004", "INVALID_PARAMETER", "参数有误: legal_cert_no")
    at = timezone.now()
    try:
        row = enrolments.hand_in(
            gateway=NAME, merchant=merchant, number=asked.need("external_id", most=32),
            gateway_number=new_digits(at, 28), fields=enrolments.paths_of(asked.biz), at=at,
        )  # fmt: skip
    except enrolments.EnrolmentBusy as error:
        raise No("40004", "MERCHANT_ALREADY_APPLIED", "商户申请单处理中") from error
    return {"order_id": row.gateway_number}


def query(asked: Asked, merchant: str) -> dict[str, Any]:
    """Where an application stands."""
    try:
        row = enrolments.find(
            NAME, merchant, number=asked.text("external_id"),
            gateway_number=asked.text("order_id"),
        )  # fmt: skip
    except enrolments.EnrolmentUnknown as error:
        raise No("40004", "ORDER_NOT_EXIST", "申请单不存在") from error
    return {"orders": [show(row)]}


def show(row: SandboxEnrolment) -> Mapping[str, Any]:
    """An application in Alipay's words, which name a field at best inside a sentence."""
    state = EnrolmentState(row.state)
    status, audit, confirm = _STATUS[state]
    said = {
        "order_id": row.gateway_number,
        "external_id": row.number,
        "apply_type": "ZHIFUTONG_CREATE",
        "apply_time": wire.clock(row.created_at),
        "status": status,
        "kz_audit": audit,
        "fk_audit": "SKIP",
        "sub_confirm": confirm,
    }
    if state is EnrolmentState.FINISHED:
        said["smid"] = row.sub_merchant
    if state is EnrolmentState.REJECTED:
        told = [f"{field}:{reason}" if field else reason for field, reason in row.reasons.items()]
        said |= {"reason": told[0] if told else "资料有误", "kz_audit_memo": "".join(told[1:2])}
    if state is EnrolmentState.CANCELED:
        said["reason"] = "商户未确认"
    return said
