"""What a User-Agent tells about the customer's device. A hint: it presets and never forbids."""

import re
from typing import Final

from payments.channels.base import Device

_PHONE: Final = re.compile(r"^(?!.*iPad).*Mobi", re.DOTALL)
"""Tablets are left out on purpose: their screens show a code as well as a desktop does."""

_APPS: Final = (
    (re.compile(r"MicroMessenger/"), "wechatpay"),
    (re.compile(r"AlipayClient/|AliApp\(AP/"), "alipay"),
    (re.compile(r"UnionPay/|CloudPay/"), "unionpay"),
)
"""Browsers inside the gateways' own apps. WeChat has one on desktops too: this is no device."""


def device_of(user_agent: str) -> Device:
    """Which product fits: a phone opens an app, anything else shows a code or a page."""
    return Device.PHONE if _PHONE.search(user_agent) else Device.DESKTOP


def app_around(user_agent: str) -> str:
    """The gateway in whose app the page is shown, or ""."""
    for pattern, gateway in _APPS:
        if pattern.search(user_agent):
            return gateway
    return ""
