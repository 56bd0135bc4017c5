"""The gateways that the sandbox plays, by name."""

from typing import Final

from payments.channels.sandbox import alipay, unionpay, wechatpay
from payments.channels.sandbox.speaker import Speaker

SPEAKERS: Final[dict[str, Speaker]] = {
    gateway.SPEAKER.name: gateway.SPEAKER for gateway in (alipay, wechatpay, unionpay)
}
