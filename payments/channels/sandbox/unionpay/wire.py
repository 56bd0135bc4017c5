"""UnionPay's end of the wire: verifies merchants' signatures and signs what UnionPay says.

Written apart from the dialect, from the published rules, so that the two check each other.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from payments.channels.sandbox.keyring import private

BEIJING: Final = timezone(timedelta(hours=8))

MESSAGES: Final = {
    "00": "成功[0000000]",
    "02": "系统未开放或暂时关闭，请稍后再试",
    "05": "交易已受理，请稍后查询交易结果[6154037]",
    "10": "报文格式错误",
    "11": "验证签名失败[9100004]",
    "12": "重复交易",
    "13": "报文交易要素缺失",
    "30": "交易未通过，请尝试使用其他银联卡支付或联系95516",
    "31": "商户状态不正确",
    "34": "查无此交易[2600000]",
    "35": "原交易不存在或状态不正确",
    "36": "与原交易信息不符",
    "98": "文件不存在",
    "39": "交易不在受理时间范围内",
}
"""What stands in respMsg beside each respCode that the sandbox uses."""


class Refused(Exception):
    """The gateway says no with this respCode."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def moment(at: datetime) -> str:
    """Beijing time to the second."""
    return at.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")


def parse_moment(text: str) -> datetime:
    """What `moment` wrote. Raises Refused (10)."""
    if len(text) != len("yyyyMMddHHmmss") or not text.isdecimal():
        raise Refused("10")
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError as error:
        raise Refused("10") from error


def require_signed(asked: Mapping[str, str], keys: Mapping[str, str]) -> None:
    """Refuse what the merchant did not sign by 5.1.0's rules. Raises Refused."""
    if asked.get("version") != "5.1.0" or asked.get("signMethod") != "01":
        raise Refused("10")
    if asked.get("merId") != keys["mer_id"]:
        raise Refused("31")
    key, serial = _merchant(keys["merchant_certificate"])
    if asked.get("certId") != serial:
        raise Refused("11")
    signature = asked.get("signature", "")
    kept = {name: value for name, value in asked.items() if value != "" and name != "signature"}
    if any(value != value.strip() for value in kept.values()):
        raise Refused("11")
    try:
        key.verify(
            base64.b64decode(signature, validate=True), _hashed(kept), padding.PKCS1v15(), SHA256()
        )
    except (InvalidSignature, ValueError) as error:
        raise Refused("11") from error


def signed(told: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """A message as UnionPay sends it: sorted, with its certificate and its signature at the end."""
    fields = {name: told[name] for name in sorted(told)}
    # Real messages carry the certificate with CRLF, which a browser's form also makes of it.
    fields["signPubKeyCert"] = keys["gateway_certificate"].strip().replace("\n", "\r\n")
    key = private(keys["gateway_private_key"])
    made = key.sign(_hashed(fields), padding.PKCS1v15(), SHA256())
    return {**fields, "signature": base64.b64encode(made).decode()}


def raw(fields: Mapping[str, str]) -> bytes:
    """A synchronous answer: nothing is encoded."""
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def flipped(signature: str) -> str:
    """A signature of the same length that is wrong."""
    return ("B" if signature[0] == "A" else "A") + signature[1:]


def _hashed(fields: Mapping[str, str]) -> bytes:
    text = "&".join("=".join(pair) for pair in sorted(fields.items()))
    return hashlib.sha256(text.encode()).hexdigest().encode("ascii")


@lru_cache(maxsize=16)
def _merchant(pem: str) -> tuple[rsa.RSAPublicKey, str]:
    loaded = load_pem_x509_certificate(pem.encode())
    key = loaded.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("not an RSA key")
    return key, str(loaded.serial_number)
