"""Watches certificates that end: letters to those who set channels up, 60, 30, 7 days before."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from compliance.approvals.judges import STAFF
from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.roles import Ability
from payments.channels.models import Channel

STAGES: Final = (60, 30, 7)
"""Days before the end."""
LETTERS_MAX: Final = 20


def stage_of(expires_at: datetime, *, at: datetime) -> int | None:
    """The nearest stage that has begun, or None while there is time."""
    left = expires_at - at
    return min((days for days in STAGES if left <= timedelta(days=days)), default=None)


def watch_certificates(*, at: datetime) -> int:
    """Write once per stage about each channel's certificates; how many channels were told of."""
    soon = at + timedelta(days=max(STAGES))
    rows = Channel.objects.filter(expires_at__lte=soon).exclude(state="draft")
    return sum(_tell(pk, at=at) for pk in rows.values_list("pk", flat=True))


@transaction.atomic
def _tell(pk: int, *, at: datetime) -> bool:
    channel = Channel.objects.select_for_update().get(pk=pk)
    stage = stage_of(channel.expires_at, at=at) if channel.expires_at else None
    if stage is None or (channel.told_days is not None and channel.told_days <= stage):
        return False
    channel.told_days = stage
    channel.save(update_fields=["told_days"])
    page = reverse("admin:payments_channel_change", args=[pk])
    people = STAFF.checkers(Ability.CHANNELS_REQUEST, merchant="").exclude(email="")
    for person in people.order_by("pk")[:LETTERS_MAX]:
        write_letter(
            person, "certificate_ends", at=at, channel=str(channel),
            ends_at=channel.expires_at, address=f"{settings.BASE_URL}{page}",
        )  # fmt: skip
    record(
        SYSTEM, "channel.certificate_ends", subject=("channel", channel.code),
        facts={"days": stage}, at=at,
    )  # fmt: skip
    return True
