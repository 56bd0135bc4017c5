"""How the sandbox's Alipay reads requests and writes signed answers and letters."""

import base64
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.http import HttpRequest, HttpResponse

from payments.channels.sandbox import keyring
from payments.channels.sandbox.speaker import Letter
from payments.money import Money

CHINA: Final = timezone(timedelta(hours=8))
CLOCK: Final = "%Y-%m-%d %H:%M:%S"
SKEW: Final = timedelta(minutes=15)
AMOUNT_MAX_MINOR: Final = 10_000_000_000
LIFE: Final = timedelta(days=15)
METHODS: Final[set[str]] = set()
"""The methods this gateway knows; filled by the speaker."""

_MESSAGES: Final = {
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
}
_REQUIRED: Final = {
    "method": "method", "app_id": "app-id", "sign_type": "signature-type", "sign": "signature",
    "timestamp": "timestamp", "version": "version", "charset": "charset",
}  # fmt: skip
_AMOUNT: Final = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")
_NUMBER: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_EXPRESS: Final = re.compile(r"(\d{1,5})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_MIX: Final = random.SystemRandom()


class No(Exception):
    """An answer that says no. Before the application is known, nothing is signed."""

    def __init__(self, code: str, sub_code: str, sub_msg: str, *, is_signed: bool = True) -> None:
        super().__init__(sub_code)
        self.code, self.sub_code, self.sub_msg, self.is_signed = code, sub_code, sub_msg, is_signed

    def fields(self) -> dict[str, Any]:
        """The answer's node."""
        return {
            "code": self.code,
            "msg": _MESSAGES.get(self.code, "Service Currently Unavailable"),
            "sub_code": self.sub_code,
            "sub_msg": self.sub_msg,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose signature is good."""

    params: Mapping[str, str]
    biz: Mapping[str, Any]

    @property
    def method(self) -> str:
        """What is asked for."""
        return self.params["method"]

    def text(self, name: str) -> str:
        """A business field; "" when it is missing."""
        value = self.biz.get(name, "")
        return value if isinstance(value, str) else ""

    def need(self, name: str, *, most: int = 64) -> str:
        """A business field that must be there."""
        value = self.text(name)
        if not value or len(value) > most:
            raise No("40004", "ACQ.INVALID_PARAMETER", f"参数无效: {name}")
        return value

    def number(self, name: str) -> str:
        """A merchant's number."""
        value = self.need(name)
        if not _NUMBER.fullmatch(value):
            raise No("40004", "ACQ.INVALID_PARAMETER", f"参数无效: {name}")
        return value

    def amount(self, name: str) -> Money:
        """Yuan with at most two places, from 0.01 to 100 million."""
        found = _AMOUNT.fullmatch(self.text(name))
        minor = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
        if not 0 < minor <= AMOUNT_MAX_MINOR:
            raise No("40004", "ACQ.TOTAL_FEE_EXCEED", f"金额错误: {name}")
        return Money(minor, "CNY")

    def echo(self) -> str:
        """The merchant's echo field, decoded once more as merchants encode it."""
        return unquote(self.text("passback_params"))[:128]

    def end(self, at: datetime) -> datetime:
        """When the order can no longer be paid."""
        if express := _EXPRESS.fullmatch(self.text("timeout_express")):
            return at + timedelta(**{_UNITS[express[2]]: int(express[1])})
        if not self.text("time_expire"):
            return at + LIFE
        end = _read_clock(self.text("time_expire"))
        if end is None or end > at + LIFE + timedelta(minutes=1):
            raise No("40004", "ACQ.INVALID_PARAMETER", "参数无效: time_expire")
        return end


# --- in -------------------------------------------------------------------------------------------


def parameters(request: HttpRequest) -> dict[str, str]:
    """Query and form together, decoded in the charset that the request declares."""
    query = request.META.get("QUERY_STRING", "")
    is_form = request.method == "POST" and request.content_type != "multipart/form-data"
    body = request.body.decode("latin-1") if is_form else ""
    declared = dict(parse_qsl(query) + parse_qsl(body)).get("charset", "utf-8").lower()
    if declared not in ("utf-8", "gbk", "gb2312"):
        raise No("40002", "isv.invalid-charset", "字符集错误", is_signed=False)
    try:
        pairs = [
            *parse_qsl(query, keep_blank_values=True, encoding=declared, errors="strict"),
            *parse_qsl(body, keep_blank_values=True, encoding=declared, errors="strict"),
        ]
    except ValueError as error:
        raise No("40002", "isv.invalid-encoding", "编码错误", is_signed=False) from error
    return dict(pairs)


def check(params: Mapping[str, str], keys: Mapping[str, str], *, at: datetime) -> Asked:
    """Everything the gateway looks at before it looks at the business. Raises No."""
    _require_known(params, keys)
    if params["sign_type"] != "RSA2":
        raise No("40002", "isv.invalid-signature-type", "无效签名类型")
    stamp = _read_clock(params["timestamp"])
    if stamp is None or abs(at - stamp) > SKEW:
        raise No("40002", "isv.invalid-timestamp", "非法的时间戳参数")
    if not _is_signed(params, keyring.public(keys["merchant_public"])):
        raise No("40002", "isv.invalid-signature", "无效签名")
    if params["version"] != "1.0":
        raise No("40002", "isv.invalid-version", "版本号错误")
    if params.get("format", "JSON").upper() != "JSON":
        raise No("40002", "isv.invalid-format", "格式错误")
    return Asked(params, _business(params))


def _require_known(params: Mapping[str, str], keys: Mapping[str, str]) -> None:
    for name, code in _REQUIRED.items():
        if not params.get(name):
            raise No("40001", f"isv.missing-{code}", f"缺少参数 {name}", is_signed=False)
    if params["app_id"] != keys["app_id"]:
        raise No("40002", "isv.invalid-app-id", "无效的AppID参数", is_signed=False)
    if params["method"] not in METHODS:
        raise No("40002", "isv.invalid-method", "不存在的方法名", is_signed=False)


def _business(params: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        biz = json.loads(params.get("biz_content", "{}"))
    except ValueError as error:
        raise No("40002", "isv.invalid-parameter", "参数无效") from error
    if not isinstance(biz, dict):
        raise No("40002", "isv.invalid-parameter", "参数无效")
    return biz


def _is_signed(params: Mapping[str, str], merchant_public: Any) -> bool:
    kept = [name for name in sorted(params) if name != "sign" and params[name] != ""]
    text = "&".join("=".join((name, params[name])) for name in kept)
    try:
        merchant_public.verify(
            base64.b64decode(params["sign"], validate=True),
            text.encode(params["charset"]),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _read_clock(text: str) -> datetime | None:
    for shape in (CLOCK, "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(text, shape).replace(tzinfo=CHINA)
        except ValueError:
            continue
    return None


# --- out ------------------------------------------------------------------------------------------


def answer(
    method: str,
    node: Mapping[str, Any],
    keys: Mapping[str, str],
    *,
    is_signed: bool = True,
    is_spoiled: bool = False,
) -> HttpResponse:
    """An answer as the gateway writes it: members in any order, slashes escaped."""
    members = list(node.items())
    _MIX.shuffle(members)
    text = json.dumps(dict(members), ensure_ascii=False, separators=(",", ":")).replace("/", r"\/")
    if not is_signed:
        return _json(f'{{"error_response":{text}}}')
    signature = _sign((text + " ") if is_spoiled else text, keys)
    parts = [f'"{method.replace(".", "_")}_response":{text}', f'"sign":"{signature}"']
    _MIX.shuffle(parts)
    return _json("{" + ",".join(parts) + "}")


def _json(text: str) -> HttpResponse:
    return HttpResponse(text.encode(), content_type="text/html;charset=utf-8")


def error_page(no: No) -> HttpResponse:
    """What a browser is shown. Every text in it is this gateway's own."""
    page = f"<!doctype html><title>Alipay sandbox</title><p>{no.sub_code}</p><p>{no.sub_msg}</p>"
    return HttpResponse(page, status=200)


def letter(fields: Mapping[str, str], keys: Mapping[str, str]) -> Letter:
    """A signed notification, in the charset that the order was placed in."""
    charset = fields["charset"]
    return Letter(
        headers={"content-type": f"application/x-www-form-urlencoded; charset={charset}"},
        body=signed_form(fields, keys),
    )


def signed_form(fields: Mapping[str, str], keys: Mapping[str, str]) -> bytes:
    """A form with `sign` and `sign_type`, neither of them in the signed text."""
    charset = fields["charset"]
    kept = {name: value for name, value in fields.items() if value != ""}
    text = "&".join("=".join((name, kept[name])) for name in sorted(kept))
    signed = {**kept, "sign_type": "RSA2", "sign": _sign(text, keys, charset)}
    members = list(signed.items())
    _MIX.shuffle(members)
    return urlencode(members, encoding=charset).encode()


def tamper(spoilt: Letter, what: str) -> Letter:
    """Change a finished letter without signing it again."""
    pairs = dict(parse_qsl(spoilt.body.decode(), encoding="latin-1"))
    match what:
        case "unsigned":
            del pairs["sign"]
        case "amount":
            minor = int(pairs["total_amount"].replace(".", "")) + 1
            pairs["total_amount"] = yuan(minor)
        case _:
            first = pairs["sign"][0]
            pairs["sign"] = ("B" if first == "A" else "A") + pairs["sign"][1:]
    return Letter(headers=spoilt.headers, body=urlencode(pairs, encoding="latin-1").encode())


def yuan(minor: int) -> str:
    """An amount as the gateway writes it."""
    return f"{minor // 100}.{minor % 100:02d}"


def clock(at: datetime) -> str:
    """A time as the gateway writes it."""
    return at.astimezone(CHINA).strftime(CLOCK)


def _sign(text: str, keys: Mapping[str, str], charset: str = "utf-8") -> str:
    key = keyring.private(keys["gateway_private"])
    signature = key.sign(text.encode(charset), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()
