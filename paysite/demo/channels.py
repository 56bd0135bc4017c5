"""Connects the platform to the sandbox gateways, as an operator would to the real ones."""

from datetime import date
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit.actor import Actor
from payments.channels.configuring import configure_channel
from payments.channels.models import Channel
from payments.channels.registry import dialects
from payments.channels.sandbox.bills import RATE_PPM, RETURNS_FEE
from payments.channels.sandbox.keys import credentials_for
from payments.reconciliation.fees import set_fee_rate, terms_of
from payments.reconciliation.matching import Terms

PATHS: Final = {
    "alipay": "/sandbox/alipay",
    "wechatpay": "/sandbox/wechatpay",
    "unionpay": "/sandbox/unionpay",
}
FIRST_DAY: Final = date(2020, 1, 1)


def connect_sandbox(*, actor: Actor) -> list[Channel]:
    """Configure one test-mode channel per gateway. Addresses follow the settings at every start."""
    channels = [
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
    for channel in channels:
        _agree_on_fee(channel, actor=actor)
    return channels


def _agree_on_fee(channel: Channel, *, actor: Actor) -> None:
    """What the sandbox gateways keep, so that wrong fees in their bills are noticed."""
    terms = Terms(rate_ppm=RATE_PPM, returns_on_refund=channel.gateway in RETURNS_FEE)
    if terms_of(channel, FIRST_DAY) != terms:
        set_fee_rate(
            channel=channel, first_day=FIRST_DAY, terms=terms, actor=actor, at=timezone.now()
        )
