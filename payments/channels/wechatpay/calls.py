"""One signed request to WeChat Pay and what its answer proves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import IO
from urllib.parse import urlsplit

from payments.channels.base import Done, NotAuthentic, Outcome, Unknown
from payments.channels.http import Answer, GatewayHttp, NoAnswer
from payments.channels.wechatpay.asking import to_json
from payments.channels.wechatpay.codes import verdict
from payments.channels.wechatpay.keys import KeyStore
from payments.channels.wechatpay.proofs import Merchant, verify
from payments.channels.wechatpay.reading import Fields, Unreadable

Clock = Callable[[], datetime]
Nonce = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Signs, sends, verifies. Knows nothing of orders."""

    http: GatewayHttp
    base_url: str
    merchant: Merchant
    keys: KeyStore
    answer_serial: str
    """Names the key we want answers to be signed with; "" leaves it to the gateway."""
    clock: Clock
    nonce: Nonce

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Outcome[Fields]:
        """Ask something."""
        return self._call("GET", path, params=params, body=b"")

    def post(
        self, path: str, members: Mapping[str, object], *, sealed_with: str = ""
    ) -> Outcome[Fields]:
        """Have something done. `sealed_with` is the serial of the key that members are under."""
        return self._call("POST", path, params=None, body=to_json(members), serial=sealed_with)

    def upload(self, path: str, meta: bytes, body: bytes, content_type: str) -> Outcome[Fields]:
        """Hand a file over: of a multipart body only `meta`, one of its parts, is signed."""
        return self._call(
            "POST", path, params=None, body=body, signed=meta, content_type=content_type
        )

    def download(self, url: str, into: IO[bytes], *, bytes_max: int) -> Outcome[None]:
        """Fetch a file from an address that a signed answer named. The file itself is unsigned.

        Our signature goes along, so it goes nowhere but to the gateway's own host.
        """
        ours, named = urlsplit(self.base_url), urlsplit(url)
        if (named.scheme, named.netloc) != (ours.scheme, ours.netloc):
            return Unknown(reason="foreign_address")
        request = self.http.build("GET", url)
        request.headers["Authorization"] = self.merchant.authorization(
            "GET", request.url.raw_path, b"", at=self.clock(), nonce=self.nonce()
        )
        # What is compressed on the way as well would be unpacked twice.
        request.headers["Accept-Encoding"] = "identity"
        try:
            answer = self.http.download(request, into, bytes_max=bytes_max)
        except NoAnswer as silence:
            return Unknown(reason=silence.reason, was_sent=silence.was_sent)
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        return Done(None)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        body: bytes,
        signed: bytes | None = None,
        content_type: str = "application/json",
        serial: str = "",
    ) -> Outcome[Fields]:
        request = self.http.build(method, self.base_url + path, params=params, content=body or None)
        request.headers["Accept"] = "application/json"
        if body:
            request.headers["Content-Type"] = content_type
        if named := serial or self.answer_serial:
            request.headers["Wechatpay-Serial"] = named
        request.headers["Authorization"] = self.merchant.authorization(
            method,
            request.url.raw_path,
            request.content if signed is None else signed,
            at=self.clock(),
            nonce=self.nonce(),
        )
        try:
            answer = self.http.send(request)
        except NoAnswer as silence:
            return Unknown(reason=silence.reason, was_sent=silence.was_sent)
        return self._judge(answer)

    def _judge(self, answer: Answer) -> Outcome[Fields]:
        is_error = answer.status >= HTTPStatus.BAD_REQUEST
        try:
            verify(answer.headers, answer.body, self.keys, at=self.clock())
            if answer.status == HTTPStatus.NO_CONTENT:
                return Done(Fields({}))
            fields = Fields.parse(answer.body)
            if is_error:
                return verdict(
                    answer.status,
                    fields.text("code"),
                    fields.text_or_empty("message"),
                    field=_named_field(fields),
                )
        except NotAuthentic as doubt:
            # A load balancer's error page is not signed and says nothing about our order.
            is_bare = is_error and doubt.reason == "unsigned"
            return Unknown(reason=f"http_{answer.status}" if is_bare else doubt.reason)
        except Unreadable:
            return Unknown(reason="unreadable")
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        return Done(fields)


def _named_field(fields: Fields) -> str:
    detail = fields.data.get("detail")
    named = detail.get("field", "") if isinstance(detail, dict) else ""
    return named[:128] if isinstance(named, str) else ""
