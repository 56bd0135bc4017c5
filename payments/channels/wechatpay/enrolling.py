"""Applications for merchants of a service provider's: /v3/applyment4sub/applyment/."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1

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
)
from payments.channels.wechatpay import enrolment_fields
from payments.channels.wechatpay.calls import Caller
from payments.channels.wechatpay.reading import Fields, Unreadable

PATH: Final = "/v3/applyment4sub/applyment/"
UPLOAD_PATH: Final = "/v3/merchant/media/upload"
PICTURE_BYTES_MAX: Final = 2 * 1024 * 1024
SIGN_WITHIN: Final = timedelta(days=30)
MISSING: Final = frozenset({"NOT_FOUND", "RESOURCE_NOT_EXISTS", "APPLYMENT_NOTEXIST"})
NO_KEY: Final = "no_platform_key"

_ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png"}
_STANDS: Final = {
    "APPLYMENT_STATE_EDITTING": Stand.INCOMPLETE,
    "APPLYMENT_STATE_AUDITING": Stand.AUDIT,
    "APPLYMENT_STATE_REJECTED": Stand.NEEDS_CHANGES,
    "APPLYMENT_STATE_TO_BE_CONFIRMED": Stand.ACCOUNT_CHECK,
    "APPLYMENT_STATE_TO_BE_SIGNED": Stand.TO_BE_SIGNED,
    "APPLYMENT_STATE_SIGNING": Stand.OPENING,
    "APPLYMENT_STATE_FINISHED": Stand.FINISHED,
    "APPLYMENT_STATE_CANCELED": Stand.CANCELLED,
}
"""The first is spelt so by WeChat Pay."""
_WITH_LINK: Final = frozenset({Stand.ACCOUNT_CHECK, Stand.TO_BE_SIGNED})
_REASONS_MAX: Final = 64
_TOLD_MAX: Final = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatPayEnroller:
    """Fulfils `enrolling.Enroller`."""

    caller: Caller
    app: str
    table: Table = enrolment_fields.TABLE
    extras: tuple[Extra, ...] = enrolment_fields.EXTRAS
    picture_types: frozenset[str] = frozenset(_ENDINGS)
    picture_bytes_max: int = PICTURE_BYTES_MAX

    @property
    def limits(self) -> Mapping[Stand, timedelta]:
        """An application that nobody signs lapses after thirty days."""
        return {Stand.TO_BE_SIGNED: SIGN_WITHIN}

    def upload(self, picture: Picture) -> Outcome[str]:
        """Hand a picture over. Its name tells WeChat Pay the form, and nothing of the merchant."""
        digest = hashlib.sha256(picture.content).hexdigest()
        name = f"{digest[:16]}.{_ENDINGS[picture.media_type]}"
        meta = json.dumps({"filename": name, "sha256": digest}, separators=(",", ":")).encode()
        mark = f"paysite{self.caller.nonce()}"
        body = _multipart(mark, meta, name, picture)
        kind = f"multipart/form-data; boundary={mark}"
        answer = self.caller.upload(UPLOAD_PATH, meta, body, kind)
        return _reading(answer, lambda fields: fields.text("media_id"))

    def apply(self, file: MerchantFile) -> Outcome[str]:
        """Hand it in. A refusal counts only when no application under review has our number."""
        key = self.caller.keys.newest(at=self.caller.clock())
        if key is None:
            return Rejected(code=NO_KEY, message="No valid platform key.", is_our_fault=True)
        whole = replace(file, values={**file.values, "channel.app": self.app})
        members = members_of(self.table, whole, sealed=_sealer(key.key))
        members["business_code"] = file.number
        answer = self.caller.post(PATH, members, sealed_with=key.serial)
        if isinstance(answer, Rejected) and not answer.is_our_fault:
            found = self.ask(file.number)
            if isinstance(found, Unknown):
                return found
            if isinstance(found, Done) and found.value.stand not in {
                Stand.NEEDS_CHANGES, Stand.INCOMPLETE,
            }:  # fmt: skip
                # An earlier try took effect, and only this repeat was refused.
                return Done(found.value.gateway_number)
        return _reading(answer, _applyment_id)

    def ask(self, number: str) -> Outcome[EnrolmentReading]:
        """Ask by our number. Refusing the question for another reason says nothing of it."""
        answer = self.caller.get(f"{PATH}business_code/{quote(number, safe='')}")
        if isinstance(answer, Rejected) and answer.code not in MISSING and not answer.is_our_fault:
            return Unknown(reason=answer.code)
        return _reading(answer, lambda fields: self._read(number, fields))

    def _read(self, number: str, fields: Fields) -> EnrolmentReading:
        if fields.text("business_code") != number:
            raise Unreadable("business_code")
        stand = _STANDS.get(fields.text("applyment_state"))
        if stand is None:
            raise Unreadable("applyment_state")
        is_rejected = stand is Stand.NEEDS_CHANGES
        return EnrolmentReading(
            number=number,
            stand=stand,
            gateway_number=_applyment_id(fields),
            sub_merchant=fields.text("sub_mchid") if stand is Stand.FINISHED else "",
            sign_url=self._link(fields) if stand in _WITH_LINK else "",
            reasons=_reasons(fields) if is_rejected else (),
        )

    def _link(self, fields: Fields) -> str:
        url = fields.text("sign_url")
        if urlsplit(url).scheme not in {"https", urlsplit(self.caller.base_url).scheme}:
            raise Unreadable("sign_url")
        return url


def _reasons(fields: Fields) -> tuple[Reason, ...]:
    if not fields.data.get("audit_detail"):
        told = fields.text_or_empty("applyment_state_msg")
        return (Reason(theirs="", told=told[:_TOLD_MAX]),)
    return tuple(
        Reason(
            theirs=detail.text_or_empty("field")[:128],
            told=detail.text_or_empty("reject_reason")[:_TOLD_MAX],
        )
        for detail in fields.inner_list("audit_detail")[:_REASONS_MAX]
    )


def _applyment_id(fields: Fields) -> str:
    number = fields.data.get("applyment_id")
    if type(number) is int and number > 0:
        return str(number)
    raise Unreadable("applyment_id")


def _sealer(key: RSAPublicKey) -> Callable[[str], str]:
    # SHA-1 is what the interface prescribes for OAEP, where its weakness does not matter.
    padding = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303
    return lambda text: base64.b64encode(key.encrypt(text.encode(), padding)).decode()


def _multipart(mark: str, meta: bytes, name: str, picture: Picture) -> bytes:
    line = f"--{mark}".encode()
    return b"\r\n".join((
        line, b'Content-Disposition: form-data; name="meta"', b"Content-Type: application/json",
        b"", meta,
        line, f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode(),
        f"Content-Type: {picture.media_type}".encode(), b"", picture.content,
        line + b"--", b"",
    ))  # fmt: skip


def _reading(answer: Outcome[Fields], read: Callable[[Fields], T]) -> Outcome[T]:
    if not isinstance(answer, Done):
        return answer
    try:
        return Done(read(answer.value))
    except Unreadable:
        return Unknown(reason="unreadable")
