"""Hands an enrolment in, leaves it, has the gateway asked, and enters what its letters say.

Nothing here calls a gateway: `pursuing` does, in a worker.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.protection.redaction import redacted
from merchants.days import day_of
from payments.enrolment.filing import require_complete
from payments.enrolment.models import Enrolment, EnrolmentReason, SubMerchant
from payments.enrolment.moving import move_enrolment
from payments.enrolment.opening import enroller_for, lock_enrolment, require_desk
from payments.enrolment.refusals import EnrolmentRefused
from payments.enrolment.states import ASKED, OURS, EnrolmentState

LETTER_MAX = 64


@transaction.atomic
def hand_in(*, enrolment: str, by: User, actor: Actor, at: datetime) -> Enrolment:
    """Have it sent, with what the merchant's file says at the time of sending.

    Raises EnrolmentRefused (ability_missing, enrolment_unknown, file_incomplete, paper_unfit), or
    IllegalMove.
    """
    require_desk(by)
    row = lock_enrolment(enrolment)
    if not row.is_on_paper:
        enroller = enroller_for(row.channel.code)
        if enroller is None:
            raise EnrolmentRefused("by_paper_only")
        require_complete(row, enroller, on=day_of(at))
    told = move_enrolment(
        row, EnrolmentState.SUBMITTED, by=actor, at=at, round=row.round + 1,
        sent_at=at if row.is_on_paper else None,
    )  # fmt: skip
    record(actor, "enrolment.handed_in", **told)
    return row


@transaction.atomic
def leave(*, enrolment: str, reason: str, by: User, actor: Actor, at: datetime) -> Enrolment:
    """Give it up, while it lies with us. What lies with a gateway only the gateway can end.

    Raises EnrolmentRefused: ability_missing, enrolment_unknown, at_gateway.
    """
    require_desk(by)
    row = lock_enrolment(enrolment)
    if row.state not in OURS:
        raise EnrolmentRefused("at_gateway")
    told = move_enrolment(row, EnrolmentState.CANCELLED, by=actor, at=at)
    record(actor, "enrolment.left", reason=reason, **told)
    return row


@transaction.atomic
def ask_soon(*, enrolment: str, by: User, actor: Actor, at: datetime) -> Enrolment:
    """Have the gateway asked at the next turn of the worker.

    Raises EnrolmentRefused: ability_missing, enrolment_unknown, nothing_to_ask.
    """
    require_desk(by)
    row = lock_enrolment(enrolment)
    if row.is_on_paper or row.state not in ASKED:
        raise EnrolmentRefused("nothing_to_ask")
    row.ask_at = at
    row.save(update_fields=["ask_at"])
    record(actor, "enrolment.asked_soon", subject=("enrolment", row.public_id), at=at)
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLetter:
    """What a gateway wrote about an enrolment on paper. `number` is the letter's own.

    `sub_merchant` is the merchant's number at the channel and must be there when it is finished;
    `told` is what is to be corrected, at our `field`.
    """

    to: EnrolmentState
    number: str
    sub_merchant: str = ""
    field: str = ""
    told: str = ""
    lapses_on: date | None = None


@transaction.atomic
def enter_letter(
    *, enrolment: str, letter: GatewayLetter, by: User, actor: Actor, at: datetime
) -> Enrolment:
    """Move an enrolment on paper as the gateway's letter says.

    Raises EnrolmentRefused (ability_missing, enrolment_unknown, not_by_paper, letter_missing,
    number_missing, told_missing, number_taken), or IllegalMove.
    """
    require_desk(by)
    row, to = lock_enrolment(enrolment), letter.to
    if not row.is_on_paper:
        raise EnrolmentRefused("not_by_paper")
    if not letter.number.strip():
        raise EnrolmentRefused("letter_missing")
    if to is EnrolmentState.FINISHED and not letter.sub_merchant.strip():
        raise EnrolmentRefused("number_missing")
    if to is EnrolmentState.NEEDS_CHANGES and not letter.told.strip():
        raise EnrolmentRefused("told_missing")
    told = move_enrolment(
        row, to, by=actor, at=at, letter=letter.number.strip()[:LETTER_MAX],
        lapses_on=letter.lapses_on,
    )  # fmt: skip
    record(actor, "enrolment.letter_entered", **told)
    if to is EnrolmentState.NEEDS_CHANGES:
        keep_reason(row, field=letter.field, theirs="", told=letter.told)
    if to is EnrolmentState.FINISHED:
        keep_number(row, letter.sub_merchant.strip(), actor=actor, at=at)
    return row


def keep_reason(row: Enrolment, *, field: str, theirs: str, told: str) -> None:
    """What is to be corrected in this round, in the gateway's words but without secrets."""
    EnrolmentReason.objects.create(
        enrolment=row, round=row.round, field=field[:64], theirs=theirs[:128], told=redacted(told)
    )


def is_number_free(row: Enrolment, number: str) -> bool:
    """Whether no other merchant has the number at the channel, and this one has no other."""
    others = SubMerchant.objects.filter(channel_id=row.channel_id).exclude(enrolment=row)
    return not others.filter(Q(number=number) | Q(merchant_id=row.merchant_id)).exists()


def keep_number(row: Enrolment, number: str, *, actor: Actor, at: datetime) -> None:
    """The merchant's own number at the channel. Raises EnrolmentRefused (number_taken)."""
    if SubMerchant.objects.filter(enrolment=row, number=number).exists():
        return
    if not is_number_free(row, number):
        raise EnrolmentRefused("number_taken")
    SubMerchant.objects.create(
        merchant_id=row.merchant_id, channel_id=row.channel_id, number=number, enrolment=row,
        created_at=at,
    )  # fmt: skip
    record(
        actor, "sub_merchant.kept", subject=("enrolment", row.public_id),
        facts={
            "merchant": row.merchant.public_id, "channel": row.channel.code, "number": number,
        },
        at=at,
    )  # fmt: skip
