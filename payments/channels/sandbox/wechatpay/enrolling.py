"""Applications of a service provider's merchants, as WeChat Pay takes and reviews them."""

import hashlib
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from payments.channels.sandbox import enrolments
from payments.channels.sandbox.models import EnrolmentState, GatewayName, SandboxEnrolment
from payments.channels.sandbox.orders import new_digits
from payments.channels.sandbox.wechatpay import asks, wire
from payments.channels.sandbox.wechatpay.call import Call
from payments.channels.sandbox.wechatpay.wire import Refused

NAME: Final = GatewayName.WECHATPAY.value
PICTURE_BYTES_MAX: Final = 2 * 1024 * 1024

_CODE: Final = re.compile(r"[0-9A-Za-z_]{1,124}", re.ASCII)
_FORMATS: Final = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"BM")
_SEALED: Final = {
    "contact_info.contact_name", "contact_info.mobile_phone", "contact_info.contact_email",
    "subject_info.identity_info.id_card_info.id_card_name",
    "subject_info.identity_info.id_card_info.id_card_number",
    "bank_account_info.account_name", "bank_account_info.account_number",
}  # fmt: skip
_WANTED: Final = {
    "contact_info.contact_type", "subject_info.subject_type",
    "subject_info.identity_info.id_doc_type",
    "subject_info.identity_info.id_card_info.id_card_copy",
    "subject_info.identity_info.id_card_info.id_card_national",
    "subject_info.identity_info.id_card_info.card_period_begin",
    "subject_info.identity_info.id_card_info.card_period_end",
    "business_info.merchant_shortname", "business_info.service_phone",
    "business_info.sales_info.sales_scenes_type", "settlement_info.settlement_id",
    "settlement_info.qualification_type", "bank_account_info.bank_account_type",
    "bank_account_info.account_bank",
}  # fmt: skip
_BY_SUBJECT: Final[Mapping[str, frozenset[str]]] = {
    "SUBJECT_TYPE_ENTERPRISE": frozenset({
        "subject_info.business_license_info.license_copy",
        "subject_info.business_license_info.license_number",
        "subject_info.business_license_info.merchant_name",
        "subject_info.business_license_info.legal_person",
        "subject_info.identity_info.id_card_info.id_card_address",
    }),
    "SUBJECT_TYPE_INDIVIDUAL": frozenset({
        "subject_info.business_license_info.license_copy",
        "subject_info.business_license_info.license_number",
        "subject_info.business_license_info.merchant_name",
        "subject_info.business_license_info.legal_person",
    }),
    "SUBJECT_TYPE_INSTITUTIONS": frozenset({
        "subject_info.certificate_info.cert_copy", "subject_info.certificate_info.cert_type",
        "subject_info.certificate_info.cert_number",
        "subject_info.certificate_info.merchant_name",
        "subject_info.certificate_info.company_address",
        "subject_info.certificate_info.legal_person",
    }),
}  # fmt: skip
_PICTURES: Final = {
    "subject_info.business_license_info.license_copy", "subject_info.certificate_info.cert_copy",
    "subject_info.identity_info.id_card_info.id_card_copy",
    "subject_info.identity_info.id_card_info.id_card_national",
}  # fmt: skip
_WORDS: Final = {
    EnrolmentState.AUDITING: ("AUDITING", "申请单正在审核中"),
    EnrolmentState.REJECTED: ("REJECTED", "请按照驳回原因修改申请资料"),
    EnrolmentState.TO_BE_CONFIRMED: ("TO_BE_CONFIRMED", "请超级管理员完成账户验证"),
    EnrolmentState.TO_BE_SIGNED: ("TO_BE_SIGNED", "请超级管理员完成签约"),
    EnrolmentState.SIGNING: ("SIGNING", "系统开通相关权限中"),
    EnrolmentState.FINISHED: ("FINISHED", "商户入驻申请已完成"),
    EnrolmentState.CANCELED: ("CANCELED", "申请单已被撤销"),
    EnrolmentState.ODD: ("MOONLIT", "未知状态"),
}
_LINKED: Final = {EnrolmentState.TO_BE_CONFIRMED, EnrolmentState.TO_BE_SIGNED}


def upload(call: Call) -> dict[str, Any]:
    """A picture, with its digest in the signed part."""
    file = call.request.FILES.get("file")
    try:
        meta = json.loads(call.request.POST.get("meta", ""))
        name, digest = str(meta["filename"]), str(meta["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise asks.bad("meta") from error
    if file is None or file.name != name:
        raise asks.bad("filename")
    content = file.read()
    if len(content) > PICTURE_BYTES_MAX or not content.startswith(_FORMATS):
        raise Refused(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "图片格式或大小有误", field="file")
    if hashlib.sha256(content).hexdigest() != digest.lower():
        raise asks.bad("sha256")
    return {"media_id": enrolments.keep_picture(gateway=NAME, sha256=digest.lower())}


def apply(call: Call) -> dict[str, Any]:
    """Take an application in, after looking at what a machine can look at."""
    if not call.request.headers.get("Wechatpay-Serial"):
        raise asks.bad("Wechatpay-Serial")
    body = asks.Body.parse(call.request.body)
    number = body.matching("business_code", _CODE)
    members = json.loads(call.request.body)
    said = enrolments.paths_of(members)
    subject = _at(members, "subject_info.subject_type")
    wanted = _WANTED | _SEALED | _BY_SUBJECT.get(str(subject), frozenset())
    if str(subject) not in _BY_SUBJECT:
        raise _wrong("subject_info.subject_type")
    for path in sorted(wanted):
        if _at(members, path) in (None, "", []):
            raise _wrong(path)
    for path in sorted(_PICTURES & set(said)):
        if not enrolments.has_picture(NAME, _at(members, path)):
            raise _wrong(path)
    _look_inside(call, members)
    row = enrolments.hand_in(
        gateway=NAME, merchant=call.merchant, number=number,
        gateway_number=new_digits(call.at, 16), fields=said, at=call.at,
    )  # fmt: skip
    return {"applyment_id": int(row.gateway_number)}


def _look_inside(call: Call, members: Any) -> None:
    plain: dict[str, str] = {}
    for path in sorted(_SEALED):
        try:
            plain[path] = wire.opened(call.keys, call.mode, str(_at(members, path)))
        except ValueError as error:
            raise _wrong(path) from error
    if not enrolments.is_identity(plain["subject_info.identity_info.id_card_info.id_card_number"]):
        raise _wrong("subject_info.identity_info.id_card_info.id_card_number")
    if not plain["bank_account_info.account_number"].isdecimal():
        raise _wrong("bank_account_info.account_number")
    has_same_name = (
        plain["contact_info.contact_name"]
        == plain["subject_info.identity_info.id_card_info.id_card_name"]
    )
    if _at(members, "contact_info.contact_type") == "LEGAL" and not has_same_name:
        raise _wrong("contact_info.contact_name")


def ask(call: Call, *, number: str = "", applyment: str = "") -> dict[str, Any]:
    """Where an application stands."""
    row = enrolments.find(NAME, call.merchant, number=number, gateway_number=applyment)
    return show(row)


def show(row: SandboxEnrolment) -> dict[str, Any]:
    """An application in WeChat Pay's words."""
    state = EnrolmentState(row.state)
    word, message = _WORDS[state]
    said: dict[str, Any] = {
        "business_code": row.number,
        "applyment_id": int(row.gateway_number),
        "sub_mchid": row.sub_merchant or None,
        "applyment_state": f"APPLYMENT_STATE_{word}",
        "applyment_state_msg": message,
    }
    if state in _LINKED:
        said["sign_url"] = enrolments.sign_address(row)
    if state is EnrolmentState.REJECTED:
        said["audit_detail"] = [
            {"field": field, "field_name": field, "reject_reason": reason}
            for field, reason in row.reasons.items()
        ]
    return said


def _at(members: Any, path: str) -> Any:
    for name in path.split("."):
        members = members.get(name) if isinstance(members, Mapping) else None
    return members


def _wrong(path: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", f"参数错误: {path}", field=path)
