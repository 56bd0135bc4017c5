"""UnionPay ACP 5.1.0, as the sandbox plays it: the gateway's side of the protocol."""

from payments.channels.sandbox.unionpay.speaker import SPEAKER

__all__ = ["SPEAKER"]
