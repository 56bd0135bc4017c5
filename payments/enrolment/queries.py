"""Where a merchant stands at each channel, for its own people and for the staff."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.days import day_of
from payments.channels.enrolling import Extra
from payments.channels.models import Channel
from payments.channels.states import ChannelState
from payments.enrolment.models import Enrolment
from payments.enrolment.opening import enroller_for
from payments.enrolment.rules import days_left
from payments.enrolment.states import EnrolmentState
from payments.enrolment.words import NEXT, TONES, field_label


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing that a gateway wants corrected, at our field, in its own words."""

    label: str
    told: str
    is_ours: bool
    """Something that the staff typed, and not the merchant."""


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """How a merchant stands with one channel."""

    channel: str
    state: str = ""
    """"" when nobody has applied yet."""
    label: str = ""
    tone: str = "neutral"
    told: str = ""
    since: datetime | None = None
    number: str = ""
    corrections: tuple[Correction, ...] = ()
    sign_url: str = field(default="", repr=False)
    lapses_on: date | None = None
    days_left: int | None = None


def standings_of(access: MerchantAccess, *, at: datetime) -> list[ChannelStanding]:
    """Every active channel with the caller's enrolment. The sign link opens the gateway's contract,
    so that only who may write applications sees it. Raises AccessRefused.
    """
    require(access, APPLICATION_WRITE)
    channels = Channel.objects.filter(state=ChannelState.ACTIVE, livemode=access.livemode).order_by(
        "pk"
    )
    rows = (
        Enrolment.objects.filter(merchant_id=access.merchant_id)
        .exclude(state=EnrolmentState.CANCELLED)
        .select_related("channel", "sub_merchant")
    )
    mine = {row.channel_id: row for row in rows}
    return [
        _standing(mine[channel.pk], at=at) if channel.pk in mine else ChannelStanding(channel.name)
        for channel in channels
    ]


def corrections_of(row: Enrolment, extras: Sequence[Extra]) -> tuple[Correction, ...]:
    """What is to be corrected in the round that was sent back last."""
    if row.state != EnrolmentState.NEEDS_CHANGES:
        return ()
    said = row.reasons.filter(round=row.round).order_by("pk")
    return tuple(
        Correction(field_label(one.field, extras), one.told, one.field.startswith("extra."))
        for one in said
    )


def extras_of(row: Enrolment) -> tuple[Extra, ...]:
    """What only this gateway asks."""
    enroller = enroller_for(row.channel.code)
    return enroller.extras if enroller is not None else ()


def left_of(row: Enrolment, *, at: datetime) -> int | None:
    """Days until the gateway lets it lapse, where it says so."""
    return None if row.lapses_on is None else days_left(row.lapses_on, on=day_of(at))


def _standing(row: Enrolment, *, at: datetime) -> ChannelStanding:
    given = getattr(row, "sub_merchant", None)
    return ChannelStanding(
        channel=row.channel.name,
        state=row.state,
        label=row.get_state_display(),
        tone=TONES.get(row.state, "neutral"),
        told=str(NEXT[row.state]),
        since=row.since,
        number=given.number if given is not None else "",
        corrections=corrections_of(row, extras_of(row)),
        sign_url=row.sign_url_sealed.open(),
        lapses_on=row.lapses_on,
        days_left=left_of(row, at=at),
    )
