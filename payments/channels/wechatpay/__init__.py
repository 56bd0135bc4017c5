"""WeChat Pay, APIv3. The rest of the platform knows this folder by the name below only."""

from payments.channels.wechatpay.dialect import WeChatPay

__all__ = ["WeChatPay"]
