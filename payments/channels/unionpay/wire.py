"""Calls to UnionPay: signs what goes out, lets in only what is authentic and an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import wraps
from http import HTTPStatus
from typing import Final, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.channels.base import NotAuthentic, Outcome, Unknown
from payments.channels.http import BODY_BYTES_MAX, GatewayHttp, NoAnswer
from payments.channels.signing import sign
from payments.channels.unionpay.chain import (
    SIGN_METHOD,
    VERSION,
    Chain,
    require_authentic,
)
from payments.channels.unionpay.message import digest, form, read_answer
from payments.channels.unionpay.words import (
    SUCCESS,
    TOO_OFTEN,
    UNDECIDED,
    code_of,
    moment,
)

FRONT: Final = "/gateway/api/frontTransReq.do"
BACK: Final = "/gateway/api/backTransReq.do"
QUERY: Final = "/gateway/api/queryTrans.do"
FILE: Final = "/file/"
"""Where a gateway hands out files that is none of UnionPay's own."""
FILE_ADDRESSES: Final = {
    "https://gateway.95516.com": "https://filedownload.95516.com/",
    "https://gateway.test.95516.com": "https://filedownload.test.95516.com/",
}
FILE_MESSAGE_BYTES_MAX: Final = 256 * 1024 * 1024
IDENTITY: Final = ("merId", "orderId", "txnTime")
"""What names a transaction, for ever."""

Fields: TypeAlias = dict[str, str]
G = TypeVar("G")
A = TypeVar("A")
T = TypeVar("T")


class Unanswered(Exception):
    """UnionPay gave no usable or no final answer; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def or_unknown(call: Callable[[G, A], Outcome[T]]) -> Callable[[G, A], Outcome[T]]:
    """Turn every way in which an answer can be missing into `Unknown`."""

    @wraps(call)
    def outcome(gateway: G, ask: A) -> Outcome[T]:
        try:
            return call(gateway, ask)
        except NoAnswer as error:
            return Unknown(reason=error.reason, was_sent=error.was_sent)
        except Unanswered as error:
            return Unknown(reason=error.reason)
        except NotAuthentic as error:
            is_forged = error.reason == "unknown_key"
            return Unknown(reason="bad_signature" if is_forged else error.reason)

    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who we are, and whom we believe. `certificate_id` is our certificate's serial, in decimal."""

    merchant: str
    certificate_id: str
    private: RSAPrivateKey = field(repr=False)
    chain: Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A merchant's line to UnionPay. `clock` tells whether certificates and orders expired."""

    keys: Keys
    http: GatewayHttp
    base_url: str
    clock: Callable[[], datetime]

    def identity(self, number: str, created_at: datetime) -> Fields:
        """The fields that open every message, with the transaction's identity."""
        return {
            "version": VERSION,
            "encoding": "UTF-8",
            "signMethod": SIGN_METHOD,
            "certId": self.keys.certificate_id,
            "accessType": "0",
            "merId": self.keys.merchant,
            "orderId": number,
            "txnTime": moment(created_at),
        }

    def signed(self, fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The fields worth sending, trimmed, and their signature."""
        kept = {name: value.strip() for name, value in sorted(fields.items()) if value.strip()}
        return (*kept.items(), ("signature", sign(self.keys.private, digest(kept))))

    def look_up(self, number: str, created_at: datetime, *, expected: str) -> Fields:
        """Query. The answer's code says about the query, `origRespCode` about the transaction."""
        fields = {
            **self.identity(number, created_at),
            "txnType": "00",
            "txnSubType": "00",
            "bizType": "000000",
            "channelType": "07",
        }
        told = self.ask(QUERY, fields)
        if code_of(told) == "00" and told.get("txnType") != expected:
            raise Unanswered("unreadable")
        return told

    def ask_file(self, day: date) -> Fields:
        """The files of a clearing day. The gateway names them by month and day alone."""
        now = self.clock()
        fields = {
            **self.identity(f"FILE{moment(now)}", now),
            "txnType": "76",
            "txnSubType": "01",
            "bizType": "000000",
            "fileType": "00",
            "settleDate": f"{day:%m%d}",
        }
        url = FILE_ADDRESSES.get(self.base_url, self.base_url + FILE)
        return self._ask(url, fields, bytes_max=FILE_MESSAGE_BYTES_MAX)

    def ask(self, path: str, fields: Fields) -> Fields:
        """One call. Raises when the answer is forged, to another question, or undecided."""
        return self._ask(self.base_url + path, fields, bytes_max=BODY_BYTES_MAX)

    def _ask(self, url: str, fields: Fields, *, bytes_max: int) -> Fields:
        request = self.http.build(
            "POST",
            url,
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
            content=form(dict(self.signed(fields))),
        )
        answer = self.http.send(request, bytes_max=bytes_max)
        if answer.status != HTTPStatus.OK:
            raise Unanswered(f"http_{answer.status}")
        told = read_answer(answer.body)
        require_authentic(told, self.keys.chain, at=self.clock())
        code = code_of(told)
        for name in IDENTITY:
            # Some refusals do not repeat what they refuse; a success must.
            if told.get(name, "" if code in SUCCESS else fields[name]) != fields[name]:
                raise Unanswered("unreadable")
        if code in UNDECIDED or code == TOO_OFTEN:
            raise Unanswered(code)
        return told
