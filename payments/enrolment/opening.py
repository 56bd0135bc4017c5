"""Begins an enrolment, and keeps what only the gateway asks."""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.numbers import new_number
from merchants.accounts.models import Merchant
from merchants.accounts.states import MerchantStatus
from merchants.days import day_of
from payments.channels.enrolling import Enroller, Extra, applies, enroller_of
from payments.channels.models import Channel
from payments.channels.registry import line
from payments.channels.states import ChannelState
from payments.enrolment.filing import open_merchant_file
from payments.enrolment.models import Enrolment, EnrolmentStep
from payments.enrolment.refusals import EnrolmentRefused
from payments.enrolment.states import OURS, EnrolmentState


def enroller_for(channel: str) -> Enroller | None:
    """What takes applications at a channel, or None: on paper. Raises ChannelUnknown."""
    return enroller_of(line(channel).gateway)


def require_desk(by: User) -> None:
    """Raise EnrolmentRefused (ability_missing) unless the person looks after merchants."""
    if not may(by, Ability.MERCHANTS_REQUEST):
        raise EnrolmentRefused("ability_missing")


@transaction.atomic
def open_enrolment(
    *, merchant: str, channel: str, by: User, actor: Actor, at: datetime
) -> Enrolment:
    """Begin with an approved merchant and an active channel.

    Raises EnrolmentRefused: ability_missing, merchant_not_approved, channel_unknown,
    already_enrolled.
    """
    require_desk(by)
    whose = Merchant.objects.select_for_update(no_key=True).filter(public_id=merchant).first()
    if whose is None or whose.status != MerchantStatus.ACTIVE:
        raise EnrolmentRefused("merchant_not_approved")
    open_merchant_file(whose.pk, {}, on=day_of(at))
    found = Channel.objects.filter(code=channel, state=ChannelState.ACTIVE).first()
    if found is None:
        raise EnrolmentRefused("channel_unknown")
    under_way = Enrolment.objects.filter(merchant=whose, channel=found)
    if under_way.exclude(state=EnrolmentState.CANCELLED).exists():
        raise EnrolmentRefused("already_enrolled")
    row = Enrolment.objects.create(
        public_id=new_number("enr_", at=at), merchant=whose, channel=found,
        is_on_paper=enroller_for(found.code) is None, answers_sealed="", sign_url_sealed="",
        created_at=at, since=at,
    )  # fmt: skip
    EnrolmentStep.objects.create(
        enrolment=row, state=row.state, round=0, by=actor.label[:128], at=at
    )
    record(
        actor, "enrolment.opened", subject=("enrolment", row.public_id),
        facts={
            "merchant": whose.public_id, "channel": found.code, "is_on_paper": row.is_on_paper,
        },
        at=at,
    )  # fmt: skip
    return row


def asked_extras(row: Enrolment, *, on: datetime) -> list[Extra]:
    """What the operator must add for this merchant at this gateway."""
    enroller = enroller_for(row.channel.code)
    if enroller is None:
        return []
    values = open_merchant_file(row.merchant_id, {}, on=day_of(on)).values
    return [one for one in enroller.extras if applies(one.when, values)]


@transaction.atomic
def answer_extras(
    *, enrolment: str, answers: Mapping[str, str], by: User, actor: Actor, at: datetime
) -> Enrolment:
    """Keep what only the gateway asks, by the names of its extras. An empty secret stays as it was.

    Raises EnrolmentRefused: ability_missing, enrolment_unknown, at_gateway, answer_unfit.
    """
    require_desk(by)
    row = lock_enrolment(enrolment)
    if row.state not in OURS:
        raise EnrolmentRefused("at_gateway")
    held, kept = row.answers, {}
    for extra in asked_extras(row, on=at):
        typed = answers.get(extra.name, "").strip()
        if not typed and extra.is_secret:
            typed = held.get(extra.key, "")
        if typed and not re.fullmatch(extra.shape, typed):
            raise EnrolmentRefused("answer_unfit", field=extra.key)
        if typed:
            kept[extra.key] = typed
    changed = sorted(key for key in {*held, *kept} if held.get(key) != kept.get(key))
    row.answers_sealed = json.dumps(kept, ensure_ascii=False)
    row.save(update_fields=["answers_sealed"])
    record(
        actor, "enrolment.answered", subject=("enrolment", row.public_id),
        facts={"changed": changed}, at=at,
    )  # fmt: skip
    return row


def lock_enrolment(enrolment: str) -> Enrolment:
    """The row, locked. Raises EnrolmentRefused (enrolment_unknown)."""
    row = (
        Enrolment.objects.select_for_update(of=["self"])
        .select_related("merchant", "channel")
        .filter(public_id=enrolment)
        .first()
    )
    if row is None:
        raise EnrolmentRefused("enrolment_unknown")
    return row
