"""The sandbox gateways as a Django application, installed in demo mode only."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Plays Alipay, WeChat Pay and UnionPay on this machine."""

    name = "payments.channels.sandbox"
    label = "sandbox"
