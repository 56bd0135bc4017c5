"""Calls to Alipay: signs what goes out, believes only what is signed."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import IO, Any, Final
from urllib.parse import urlencode, urlsplit

from payments.channels import signing
from payments.channels.alipay import codes
from payments.channels.alipay.keyholder import Keyholder
from payments.channels.alipay.protocol import (
    Envelope,
    Unreadable,
    beijing,
    canonical_request,
    open_envelope,
)
from payments.channels.base import Connection, Done, Outcome, Unknown
from payments.channels.enrolling import Picture
from payments.channels.http import GatewayHttp, NoAnswer

ENDPOINT: Final = "/gateway.do"
CONTENT_TYPE: Final = "application/x-www-form-urlencoded;charset=utf-8"
FILE_HOSTS: Final = ".alipay.com"
"""How the hosts end from which Alipay hands out files."""

_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class Wire:
    """The signed line to one Alipay application."""

    def __init__(
        self,
        connection: Connection,
        http: GatewayHttp,
        keys: Keyholder,
        now: Callable[[], datetime],
    ) -> None:
        self._app_id = connection.credentials["app_id"]
        self._call_url = connection.base_url + ENDPOINT
        self._front_url = connection.front_url + ENDPOINT
        self._http, self._keys, self._now = http, keys, now
        self.scheme = urlsplit(connection.front_url).scheme

    def call(
        self, method: str, biz: Mapping[str, Any], *, notify_url: str = ""
    ) -> Outcome[Mapping[str, Any]]:
        """Ask the gateway. `Done` holds the fields of an authentic answer with code 10000."""
        params = self._signed(method, biz, {"notify_url": notify_url})
        content = urlencode({"biz_content": params.pop("biz_content")}).encode()
        url = f"{self._call_url}?{urlencode(params)}"
        return self._send(method, url, content, CONTENT_TYPE)

    def upload(
        self, method: str, fields: Mapping[str, str], member: str, name: str, picture: Picture
    ) -> Outcome[Mapping[str, Any]]:
        """Hand a picture over. The file is a part of the body and no part of what is signed."""
        url = f"{self._call_url}?{urlencode(self._signed(method, None, fields))}"
        mark = f"paysite{secrets.token_hex(16)}"
        content = b"\r\n".join((
            f"--{mark}".encode(),
            f'Content-Disposition: form-data; name="{member}"; filename="{name}"'.encode(),
            f"Content-Type: {picture.media_type}".encode(), b"", picture.content,
            f"--{mark}--".encode(), b"",
        ))  # fmt: skip
        kind = f"multipart/form-data; boundary={mark}"
        return self._send(method, url, content, kind)

    def _send(self, method: str, url: str, content: bytes, kind: str) -> Outcome[Mapping[str, Any]]:
        request = self._http.build("POST", url, content=content, headers={"Content-Type": kind})
        try:
            answer = self._http.send(request)
        except NoAnswer as error:
            return Unknown(reason=error.reason, was_sent=error.was_sent)
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        try:
            envelope = open_envelope(answer.body, method)
        except Unreadable:
            return Unknown(reason="unreadable")
        return self._believe(envelope)

    def download(self, url: str, into: IO[bytes], *, bytes_max: int) -> Outcome[None]:
        """Fetch a file from an address that an authentic answer named. Nothing of ours goes along.

        Alipay's own hosts over TLS, or wherever the gateway itself is called.
        """
        ours, named = urlsplit(self._call_url), urlsplit(url)
        is_alipays = named.scheme == "https" and (named.hostname or "").endswith(FILE_HOSTS)
        if not is_alipays and (named.scheme, named.netloc) != (ours.scheme, ours.netloc):
            return Unknown(reason="foreign_address")
        try:
            answer = self._http.download(
                self._http.build("GET", url, headers={"Accept-Encoding": "identity"}),
                into, bytes_max=bytes_max,
            )  # fmt: skip
        except NoAnswer as error:
            return Unknown(reason=error.reason, was_sent=error.was_sent)
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        return Done(None)

    def address(
        self, method: str, biz: Mapping[str, Any], *, notify_url: str, return_url: str
    ) -> str:
        """The signed address that a customer's browser opens; no call is made."""
        more = {"notify_url": notify_url, "return_url": return_url}
        return f"{self._front_url}?{urlencode(self._signed(method, biz, more))}"

    def is_authentic(self, message: bytes, signature: str, certificate_sn: str) -> bool:
        """Whether Alipay signed these bytes."""
        return any(
            signing.is_signed(key, message, signature)
            for key in self._keys.candidates(certificate_sn)
        )

    def _signed(
        self, method: str, biz: Mapping[str, Any] | None, more: Mapping[str, str]
    ) -> dict[str, str]:
        content = json.dumps(biz, ensure_ascii=False, separators=(",", ":"))
        params = {
            "app_id": self._app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing(self._now()),
            "version": "1.0",
            **({"biz_content": content} if biz is not None else {}),
            **self._keys.named,
            **{name: value for name, value in more.items() if value},
        }
        return {**params, "sign": self._keys.sign(canonical_request(params))}

    def _believe(self, envelope: Envelope) -> Outcome[Mapping[str, Any]]:
        code, sub_code, message, sub_message = (
            str(envelope.node.get(name) or "") for name in ("code", "sub_code", "msg", "sub_msg")
        )
        if not envelope.signature:
            # Errors of the gateway itself come so. They prove nothing, but the code helps a person.
            name = sub_code or code
            return Unknown(reason=f"unsigned:{name}" if _CODE.fullmatch(name) else "unsigned")
        if not self.is_authentic(envelope.signed, envelope.signature, envelope.certificate_sn):
            return Unknown(reason="bad_signature")
        said = codes.Said(
            code=code, sub_code=sub_code, message=sub_message or message, fields=envelope.node
        )
        return codes.judge(said)
