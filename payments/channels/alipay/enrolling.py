"""Applications for merchants of a platform's (直付通): ant.merchant.expand.indirect.*"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from payments.channels.alipay import enrolment_fields, readings
from payments.channels.alipay.protocol import Unreadable
from payments.channels.alipay.wire import Wire
from payments.channels.base import Done, Outcome, Rejected, Unknown
from payments.channels.enrolling import (
    EnrolmentReading,
    Extra,
    MerchantFile,
    Picture,
    Reason,
    Stand,
    Table,
    members_of,
    theirs_named_in,
)

CREATE: Final = "ant.merchant.expand.indirect.zft.create"
QUERY: Final = "ant.merchant.expand.indirect.zftorder.query"
UPLOAD: Final = "ant.merchant.expand.indirect.image.upload"
PICTURE_BYTES_MAX: Final = 10 * 1024 * 1024
NOT_KNOWN: Final = "application_not_known"

_CREATED: Final = "ZHIFUTONG_CREATE"
_FORMS: Final = {"image/jpeg": "jpg", "image/png": "png"}
_AUDITED: Final = frozenset({"PASS", "SKIP"})
_MEMOS: Final = ("reason", "kz_audit_memo", "fk_audit_memo")
_TOLD_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipayEnroller:
    """Fulfils `enrolling.Enroller`."""

    wire: Wire
    table: Table = enrolment_fields.TABLE
    extras: tuple[Extra, ...] = enrolment_fields.EXTRAS
    picture_types: frozenset[str] = frozenset(_FORMS)
    picture_bytes_max: int = PICTURE_BYTES_MAX

    @property
    def limits(self) -> Mapping[Stand, timedelta]:
        """Alipay's interface names none."""
        return {}

    def upload(self, picture: Picture) -> Outcome[str]:
        """Hand a picture over; of the request all but the picture is signed."""
        form = _FORMS[picture.media_type]
        outcome = self.wire.upload(
            UPLOAD, {"image_type": form}, "image_content", f"paper.{form}", picture
        )
        if not isinstance(outcome, Done):
            return outcome
        mark = readings.text(outcome.value, "image_id")
        return Done(mark) if mark else Unknown(reason="unreadable")

    def apply(self, file: MerchantFile) -> Outcome[str]:
        """Hand it in. A refusal counts only when nothing of our number is under way there."""
        biz = {"external_id": file.number, **members_of(self.table, file)}
        outcome = self.wire.call(CREATE, biz)
        if isinstance(outcome, Rejected) and not outcome.is_our_fault:
            found = self.ask(file.number)
            if isinstance(found, Unknown):
                return found
            if isinstance(found, Done) and found.value.stand is not Stand.NEEDS_CHANGES:
                return Done(found.value.gateway_number)
            return Rejected(
                code=outcome.code,
                message=outcome.message,
                field=theirs_named_in(self.table, outcome.message),
            )
        if not isinstance(outcome, Done):
            return outcome
        number = readings.text(outcome.value, "order_id")
        return Done(number) if number else Unknown(reason="unreadable")

    def ask(self, number: str) -> Outcome[EnrolmentReading]:
        """Ask by our number."""
        outcome = self.wire.call(QUERY, {"external_id": number})
        if isinstance(outcome, Rejected) and not outcome.is_our_fault:
            is_missing = "NOT_EXIST" in outcome.code or "NOT_FOUND" in outcome.code
            return outcome if is_missing else Unknown(reason=outcome.code)
        if not isinstance(outcome, Done):
            return outcome
        orders = outcome.value.get("orders") or []
        if not isinstance(orders, list) or not all(isinstance(one, dict) for one in orders):
            return Unknown(reason="unreadable")
        ours = [
            one for one in orders if readings.text(one, "apply_type") in {_CREATED, ""}
        ]  # fmt: skip
        if not ours:
            return Rejected(code=NOT_KNOWN, message="Alipay knows no such application.")
        try:
            latest = max(ours, key=lambda one: readings.text(one, "apply_time"))
            return Done(self._read(number, latest))
        except Unreadable:
            return Unknown(reason="unreadable")

    def _read(self, number: str, order: Mapping[str, Any]) -> EnrolmentReading:
        if readings.text(order, "external_id") != number:
            raise Unreadable("external_id")
        stand, smid = _stand_of(order), readings.text(order, "smid")
        if stand is Stand.FINISHED and not smid:
            raise Unreadable("smid")
        return EnrolmentReading(
            number=number,
            stand=stand,
            gateway_number=readings.text(order, "order_id"),
            sub_merchant=smid if stand is Stand.FINISHED else "",
            sign_url=self._link(order) if stand is Stand.TO_BE_SIGNED else "",
            reasons=self._reasons(order) if stand is Stand.NEEDS_CHANGES else (),
        )

    def _link(self, order: Mapping[str, Any]) -> str:
        """Often there is none: then the merchant finds the contract in the Alipay app."""
        url = readings.text(order, "sub_sign_short_chain_url")
        if url and urlsplit(url).scheme not in {"https", self.wire.scheme}:
            raise Unreadable("sub_sign_short_chain_url")
        return url

    def _reasons(self, order: Mapping[str, Any]) -> tuple[Reason, ...]:
        """Alipay gives sentences, which sometimes name a field of the application."""
        told = dict.fromkeys(readings.text(order, name)[:_TOLD_MAX] for name in _MEMOS)
        return tuple(
            Reason(theirs=theirs_named_in(self.table, one), told=one) for one in told if one
        ) or (Reason(theirs="", told=""),)


def _stand_of(order: Mapping[str, Any]) -> Stand:
    match readings.text(order, "status"):
        case "99":
            return Stand.FINISHED
        case "-1":
            return Stand.NEEDS_CHANGES
        case "031":
            audits = {readings.text(order, name) for name in ("kz_audit", "fk_audit")}
            is_asked = readings.text(order, "sub_confirm") == "CREATE"
            return Stand.TO_BE_SIGNED if is_asked and audits <= _AUDITED else Stand.AUDIT
        case _:
            raise Unreadable("status")
