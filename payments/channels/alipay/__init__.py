"""Alipay's OpenAPI: the v1 gateway with RSA2 signatures, by public keys or by certificates."""

from payments.channels.alipay.dialect import Alipay

__all__ = ["Alipay"]
