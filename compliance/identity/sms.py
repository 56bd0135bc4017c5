"""Sends codes to phones: to a file in the demo, through Aliyun in production."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

import httpx
from django.conf import settings
from django.utils.module_loading import import_string

ALGORITHM: Final = "ACS3-HMAC-SHA256"
SECONDS_MAX: Final = 10.0
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


class SmsNotSent(Exception):
    """The provider did not take the message; it may be tried again."""


class SmsSender(Protocol):
    """Whoever brings a code to a phone. Called outside transactions."""

    def send(self, *, number: str, code: str) -> None:
        """Send a code to a mobile number of the mainland. Raises SmsNotSent."""


class FileSms:
    """For the demo: each message is a file that only its owner can read."""

    def send(self, *, number: str, code: str) -> None:
        """See SmsSender."""
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        (folder / f"sms-{stamp}.txt").write_text(f"{number}\n{code}\n", encoding="utf-8")


class ConsoleSms:
    """For a programmer: on standard output."""

    def send(self, *, number: str, code: str) -> None:
        """See SmsSender."""
        print(f"SMS to {number}: {code}", flush=True)  # noqa: T201


@dataclass(frozen=True, slots=True)
class AliyunSms:
    """Aliyun 短信服务, SendSms 2017-05-25, signed as V3 (ACS3-HMAC-SHA256) wants it.

    The template has one variable, `code`; what else it says was agreed with the provider.
    """

    def send(self, *, number: str, code: str) -> None:
        """See SmsSender."""
        wanted: Mapping[str, str] = settings.SMS_ALIYUN
        query = {
            "PhoneNumbers": number, "SignName": wanted["sign_name"],
            "TemplateCode": wanted["template"], "TemplateParam": json.dumps({"code": code}),
        }  # fmt: skip
        base = wanted.get("base_url") or "https://dysmsapi.aliyuncs.com"
        host = httpx.URL(base).netloc.decode()
        headers = signed_headers(
            host=host, action="SendSms", version="2017-05-25", query=query,
            key_id=wanted["key_id"], key_secret=wanted["key_secret"],
            at=datetime.now(UTC), nonce=secrets.token_hex(16),
        )  # fmt: skip
        try:
            with httpx.Client(trust_env=False, timeout=SECONDS_MAX) as client:
                answer = client.post(f"{base}/?{canonical_query(query)}", headers=headers)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SmsNotSent(type(error).__name__) from None
        if answer.status_code != httpx.codes.OK or told.get("Code") != "OK":
            raise SmsNotSent(str(told.get("Code"))[:64])


def signed_headers(
    *, host: str, action: str, version: str, query: Mapping[str, str], key_id: str,
    key_secret: str, at: datetime, nonce: str,
) -> dict[str, str]:  # fmt: skip
    """The headers of one signed call without a body (Aliyun, 请求签名机制 V3)."""
    headers = {
        "host": host, "x-acs-action": action, "x-acs-version": version,
        "x-acs-date": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": EMPTY_SHA256,
    }  # fmt: skip
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n{canonical_query(query)}\n{lines}\n{names}\n{EMPTY_SHA256}"
    told = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(key_secret.encode(), told.encode(), hashlib.sha256).hexdigest()
    return {
        **headers,
        "authorization": f"{ALGORITHM} Credential={key_id},SignedHeaders={names}"
        f",Signature={signature}",
    }


def canonical_query(query: Mapping[str, str]) -> str:
    """Sorted, and quoted as RFC 3986 says."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query)
    )


def sms_sender() -> SmsSender:
    """The sender that the settings name."""
    sender: SmsSender = import_string(settings.SMS_SENDER)()
    return sender
