"""Connects the platform to the sandbox gateways, as an operator would to the real ones."""

from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from compliance.audit.actor import Actor
from payments.channels.models import Channel
from payments.channels.registry import configure_channel, dialects
from payments.channels.sandbox.keys import credentials_for

PATHS: Final = {
    "alipay": "/sandbox/alipay",
    "wechatpay": "/sandbox/wechatpay",
    "unionpay": "/sandbox/unionpay",
}


def connect_sandbox(*, actor: Actor) -> list[Channel]:
    """Configure one test-mode channel per gateway. Addresses follow the settings at every start."""
    return [
        configure_channel(
            code=name,
            gateway=name,
            name=_("%(gateway)s (sandbox)") % {"gateway": _(dialects()[name].label)},
            livemode=False,
            credentials=credentials_for(name),
            base_url=settings.SANDBOX_URL + path,
            front_url=settings.BASE_URL + path,
            actor=actor,
        )
        for name, path in PATHS.items()
    ]
