"""What channels are agreed to keep: changed for the future by one person, agreed to by another."""

from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy

from compliance.approvals.models import Approval
from compliance.approvals.pages import admin_page
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability
from payments.channels.models import Channel
from payments.reconciliation.matching import Terms
from payments.reconciliation.models import FeeRate

CHANGE: Final = "channel_fee.change"


def terms_of(channel: Channel, day: date) -> Terms | None:
    """What was agreed for a day; None when nothing was."""
    rate = FeeRate.objects.filter(channel=channel, first_day__lte=day).order_by("first_day").last()
    if rate is None:
        return None
    return Terms(rate_ppm=rate.rate_ppm, returns_on_refund=rate.returns_on_refund)


def request_fee_rate(
    *,
    channel: Channel,
    first_day: date,
    terms: Terms,
    reason: str,
    maker: User,
    actor: Actor,
    at: datetime,
) -> Approval:
    """Ask that another fee is expected from a day on. Raises ApprovalRefused."""
    return request_approval(
        kind=CHANGE, subject=("channel", channel.code), reason=reason, maker=maker, actor=actor,
        payload={
            "channel": channel.code, "first_day": first_day.isoformat(),
            "rate_ppm": terms.rate_ppm, "returns_on_refund": terms.returns_on_refund,
        },
        at=at,
    )  # fmt: skip


@transaction.atomic
def set_fee_rate(
    *, channel: Channel, first_day: date, terms: Terms, actor: Actor, at: datetime
) -> FeeRate:
    """Expect this fee from a day on. Called by the executed request, and by the demo."""
    rate, _is_new = FeeRate.objects.update_or_create(
        channel=channel, first_day=first_day,
        defaults={"rate_ppm": terms.rate_ppm, "returns_on_refund": terms.returns_on_refund},
    )  # fmt: skip
    record(
        actor, "channel.fee_agreed", subject=("channel", channel.code),
        facts={
            "first_day": first_day.isoformat(), "rate_ppm": terms.rate_ppm,
            "returns_on_refund": terms.returns_on_refund,
        },
        at=at,
    )  # fmt: skip
    return rate


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    terms = terms_of(Channel.objects.get(code=subject[1]), date.fromisoformat(payload["first_day"]))
    return {
        "rate_ppm": terms.rate_ppm if terms else 0,
        "returns_on_refund": bool(terms and terms.returns_on_refund),
    }


def _change(order: Order) -> None:
    payload = order.payload
    set_fee_rate(
        channel=Channel.objects.get(code=order.subject[1]),
        first_day=date.fromisoformat(payload["first_day"]),
        terms=Terms(
            rate_ppm=payload["rate_ppm"], returns_on_refund=payload["returns_on_refund"]
        ),
        actor=order.actor, at=order.at,
    )  # fmt: skip


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=CHANGE, label=gettext_lazy("Change the agreed fee of a channel"),
            maker=Ability.CHANNELS_REQUEST, checker=Ability.CHANNELS_APPROVE, look=_look,
            execute=_change,
            page=admin_page("payments_channel", Channel.objects.all(), "code"),
            words={
                "channel": gettext_lazy("channel"), "first_day": gettext_lazy("from"),
                "rate_ppm": gettext_lazy("rate in millionths"),
                "returns_on_refund": gettext_lazy("given back with a refund"),
            },
        )
    )  # fmt: skip
