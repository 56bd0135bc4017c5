"""Two of the staff let a configuration work, or a stopped channel work again."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy

from compliance.approvals.models import Approval
from compliance.approvals.pages import admin_page
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.identity.models import User
from compliance.identity.roles import Ability
from payments.channels.configuring import (
    ChannelRefused,
    activate_version,
    active_number,
    find_version,
    fingerprints_of,
    switch_on,
)
from payments.channels.models import Channel
from payments.channels.registry import HostNotAllowed
from payments.channels.states import ChannelState
from payments.errors import IllegalMove

ACTIVATE: Final = "channel.activate"
SWITCH_ON: Final = "channel.switch_on"


@transaction.atomic
def ask_to_activate(
    *, code: str, number: int, reason: str, by: User, actor: Actor, at: datetime
) -> Approval:
    """Ask a second person to let a version work. Raises ChannelRefused, ApprovalRefused."""
    version = find_version(code, number)
    return request_approval(
        kind=ACTIVATE, subject=("channel", code), reason=reason, maker=by, actor=actor,
        payload={
            "number": number, "livemode": version.channel.livemode,
            **version.configuration,
            "fingerprints": fingerprints_of(version),
        },
        at=at,
    )  # fmt: skip


@transaction.atomic
def ask_to_switch_on(*, code: str, reason: str, by: User, actor: Actor, at: datetime) -> Approval:
    """Ask a second person to let a stopped channel work again. Raises ChannelRefused,
    ApprovalRefused.
    """
    channel = Channel.objects.filter(code=code).first()
    if channel is None or channel.state != ChannelState.KILLED:
        raise ChannelRefused("not_stopped")
    return request_approval(
        kind=SWITCH_ON, subject=("channel", code), reason=reason, maker=by, actor=actor,
        payload={"name": channel.name, "livemode": channel.livemode}, at=at,
    )  # fmt: skip


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    """How the channel stands: another version or a stop meanwhile makes the request stale."""
    channel = Channel.objects.get(code=subject[1])
    return {"state": str(channel.state), "active_version": active_number(channel) or 0}


def _activate(order: Order) -> None:
    """Called by the approval."""
    activate_version(
        code=order.subject[1], number=order.payload["number"], request=order.number,
        agreed_by=order.actor.label, actor=order.actor, at=order.at,
    )  # fmt: skip


def _switch_on(order: Order) -> None:
    """Called by the approval."""
    reason = f"{order.number}: {order.reason}"
    switch_on(code=order.subject[1], reason=reason, actor=order.actor, at=order.at)


WORDS: Final = {
    "number": gettext_lazy("version"),
    "name": gettext_lazy("name"),
    "livemode": gettext_lazy("live mode"),
    "base_url": gettext_lazy("gateway address"),
    "front_url": gettext_lazy("gateway address for browsers"),
    "values": gettext_lazy("settings"),
    "offers": gettext_lazy("methods, limits and merchants"),
    "fingerprints": gettext_lazy("fingerprints of the secrets"),
    "state": gettext_lazy("state"),
    "active_version": gettext_lazy("active version"),
}


def register_kinds() -> None:
    """Called once, when the application is ready."""
    for name, label, execute in (
        (ACTIVATE, gettext_lazy("Let a channel's configuration work"), _activate),
        (SWITCH_ON, gettext_lazy("Let a stopped channel work again"), _switch_on),
    ):
        register(
            Kind(
                name=name, label=label, maker=Ability.CHANNELS_REQUEST,
                checker=Ability.CHANNELS_APPROVE, look=_look, execute=execute,
                refusals=(ChannelRefused, IllegalMove, HostNotAllowed),
                page=admin_page("payments_channel", Channel.objects.all(), "code"),
                words=WORDS,
                values={"state": dict(ChannelState.choices)},
            )
        )  # fmt: skip
