"""WeChat Pay, APIv3, as the sandbox plays it: the gateway's side of the protocol."""

from payments.channels.sandbox.wechatpay.speaker import SPEAKER

__all__ = ["SPEAKER"]
