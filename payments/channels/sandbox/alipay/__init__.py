"""Alipay's v1 gateway with RSA2, as the sandbox plays it: the gateway's side of the protocol."""

from payments.channels.sandbox.alipay.speaker import SPEAKER

__all__ = ["SPEAKER"]
