"""Sends enrolments and asks gateways about them. No lock is held while a gateway is called.

A claim leases a row for some minutes. Whatever is no clear answer leaves the state as it is, and
the gateway is asked again with the same number.
"""

from datetime import date, datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.trail import record
from compliance.protection.vault.files import FileClosed, open_file
from merchants.days import day_of
from payments.channels.base import Done, Outcome, Rejected, Unknown
from payments.channels.enrolling import (
    Enroller,
    EnrolmentReading,
    FileIncomplete,
    MerchantFile,
    Picture,
    Reason,
    Stand,
    ours_of,
)
from payments.enrolment.filing import OpenFile, open_merchant_file, wanted_papers
from payments.enrolment.handing import is_number_free, keep_number, keep_reason
from payments.enrolment.models import Enrolment, EnrolmentPicture
from payments.enrolment.moving import move_enrolment
from payments.enrolment.opening import enroller_for, lock_enrolment
from payments.enrolment.refusals import EnrolmentRefused
from payments.enrolment.rules import ASKED_MAX, LEASE, ask_again_at
from payments.enrolment.states import MOVES, OF_STAND, EnrolmentState

SENT_BACK = frozenset({Stand.NEEDS_CHANGES, Stand.INCOMPLETE})
INCOMPLETE = "incomplete"


def claim_due(*, at: datetime, limit: int) -> list[Enrolment]:
    """Take enrolments whose gateway should be called now. Each is ours for the lease."""
    with transaction.atomic():
        due = list(
            Enrolment.objects.select_for_update(skip_locked=True, of=["self"])
            .select_related("channel", "merchant")
            .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=at), ask_at__lte=at)
            .order_by("ask_at")[:limit]
        )
        for row in due:
            row.leased_until, row.asked = at + LEASE, row.asked + 1
            row.ask_at = ask_again_at(row.asked, at=at)
            row.save(update_fields=["leased_until", "asked", "ask_at"])
        return due


def pursue(row: Enrolment, *, at: datetime) -> None:
    """Send or ask about one claimed enrolment, and book what the gateway says."""
    enroller = enroller_for(row.channel.code)
    if enroller is None:
        _end(row, trouble="no_interface", actor=SYSTEM, at=at)
        return
    if row.state == EnrolmentState.SUBMITTED:
        _deliver(row, enroller, at=at)
        return
    outcome = enroller.ask(row.number)
    if isinstance(outcome, Done):
        book(row, enroller, outcome.value, actor=SYSTEM, at=at)
    else:
        _end(row, trouble=_word(outcome), actor=SYSTEM, at=at)


def _deliver(row: Enrolment, enroller: Enroller, *, at: datetime) -> None:
    """Hand it in, unless an earlier try of this round already did."""
    if row.sent_at is not None:
        found = enroller.ask(row.number)
        if isinstance(found, Done) and found.value.stand not in SENT_BACK:
            book(row, enroller, found.value, actor=SYSTEM, at=at)
            return
        if isinstance(found, Unknown) or (isinstance(found, Rejected) and found.is_our_fault):
            _end(row, trouble=_word(found), actor=SYSTEM, at=at)
            return
        # Not there, or still as it was sent back: our last try did not arrive.
    try:
        opened = open_merchant_file(row.merchant_id, row.answers, on=day_of(at))
        outcome = _send(row, enroller, opened, at=at)
    except (FileIncomplete, EnrolmentRefused, FileClosed):
        give_back(row, trouble="file_incomplete", actor=SYSTEM, at=at)
        return
    _book_answer(row, enroller, outcome, at=at)


def _book_answer(
    row: Enrolment, enroller: Enroller, outcome: Outcome[str], *, at: datetime
) -> None:
    match outcome:
        case Done(value=number):
            taken = EnrolmentReading(number=row.number, stand=Stand.AUDIT, gateway_number=number)
            book(row, enroller, taken, actor=SYSTEM, at=at)
        case Rejected(is_our_fault=True):
            give_back(row, trouble=outcome.code, actor=SYSTEM, at=at)
        case Rejected():
            refused = Reason(theirs=outcome.field, told=outcome.message or outcome.code)
            back = EnrolmentReading(
                number=row.number, stand=Stand.NEEDS_CHANGES, reasons=(refused,)
            )
            book(row, enroller, back, actor=SYSTEM, at=at)
        case Unknown():
            _end(row, trouble=outcome.reason, actor=SYSTEM, at=at)


def _send(row: Enrolment, enroller: Enroller, opened: OpenFile, *, at: datetime) -> Outcome[str]:
    pictures: dict[str, tuple[str, ...]] = {}
    held = dict(row.pictures.values_list("file_id", "mark"))
    for kind, file in wanted_papers(enroller, opened):
        if file.pk not in held:
            paper = open_file(file, reason=f"enrolment {row.public_id}", actor=SYSTEM, at=at)
            outcome = enroller.upload(
                Picture(name=paper.name, media_type=paper.media_type, content=paper.content)
            )
            if not isinstance(outcome, Done):
                return _of_paper(outcome, kind)
            EnrolmentPicture.objects.get_or_create(
                enrolment=row, file=file, defaults={"mark": outcome.value}
            )
            held[file.pk] = outcome.value
        pictures[kind] = (*pictures.get(kind, ()), held[file.pk])
    # Committed before the call: after a crash the gateway is asked first.
    Enrolment.objects.filter(pk=row.pk).update(sent_at=at)
    return enroller.apply(MerchantFile(number=row.number, values=opened.values, pictures=pictures))


def _of_paper(outcome: Rejected | Unknown, kind: str) -> Rejected | Unknown:
    """A picture refused is a reason at our paper."""
    if isinstance(outcome, Unknown) or outcome.is_our_fault:
        return outcome
    return Rejected(code=outcome.code, message=outcome.message, field=kind)


@transaction.atomic
def book(
    claimed: Enrolment, enroller: Enroller, reading: EnrolmentReading, *, actor: Actor,
    at: datetime,
) -> None:  # fmt: skip
    """Move an enrolment to where its gateway says it stands. A repeat changes nothing.

    What was asked before somebody handed it in again says nothing of the new round.
    """
    row = lock_enrolment(claimed.public_id)
    if (row.state, row.round) != (claimed.state, claimed.round):
        _end(row, trouble="", actor=actor, at=at)
        return
    before, to = EnrolmentState(row.state), OF_STAND.get(reading.stand)
    if to is None:
        _end(row, trouble=INCOMPLETE, actor=actor, at=at)
        return
    if to is before:
        _settle(row, reading)
        return
    if to is EnrolmentState.FINISHED and not is_number_free(row, reading.sub_merchant):
        _end(row, trouble="number_taken", actor=actor, at=at)
        return
    if to not in MOVES[before]:
        _end(row, trouble=f"no_way_to_{to.value}", actor=actor, at=at)
        return
    told = move_enrolment(
        row, to, by=actor, at=at, leased_until=None,
        gateway_number=reading.gateway_number or row.gateway_number,
        ask_at=None if to is EnrolmentState.FINISHED or to is EnrolmentState.CANCELLED
        else ask_again_at(0, at=at),
        lapses_on=_last_day(enroller.limits.get(reading.stand), at),
        sign_url_sealed=reading.sign_url,
    )  # fmt: skip
    record(actor, "enrolment.moved", **told)
    if to is EnrolmentState.NEEDS_CHANGES:
        _keep_reasons(row, enroller, reading, at=at)
    if to is EnrolmentState.FINISHED:
        keep_number(row, reading.sub_merchant, actor=actor, at=at)


def _keep_reasons(
    row: Enrolment, enroller: Enroller, reading: EnrolmentReading, *, at: datetime
) -> None:
    values = open_merchant_file(row.merchant_id, row.answers, on=day_of(at)).values
    place = partial(ours_of, enroller.table, values=values)
    row.reasons.filter(round=row.round).delete()
    for one in reading.reasons:
        is_ours = one.theirs.startswith("documents.")
        field = one.theirs if is_ours else place(one.theirs) if one.theirs else ""
        keep_reason(row, field=field, theirs="" if is_ours else one.theirs, told=one.told)


@transaction.atomic
def give_back(claimed: Enrolment, *, trouble: str, actor: Actor, at: datetime) -> None:
    """Nothing was taken there, and trying again is no use before an operator mends something."""
    row = lock_enrolment(claimed.public_id)
    if row.state != EnrolmentState.SUBMITTED:
        return
    told = move_enrolment(
        row, EnrolmentState.DRAFT, by=actor, at=at, trouble=trouble[:64], leased_until=None
    )
    record(actor, "enrolment.given_back", reason=trouble, **told)


def _settle(row: Enrolment, reading: EnrolmentReading) -> None:
    row.trouble, row.leased_until = "", None
    row.gateway_number = reading.gateway_number or row.gateway_number
    row.sign_url_sealed = reading.sign_url
    row.save(update_fields=["trouble", "leased_until", "gateway_number", "sign_url_sealed"])


@transaction.atomic
def _end(claimed: Enrolment, *, trouble: str, actor: Actor, at: datetime) -> None:
    """Nothing to book. After many questions the trail says that a person must look."""
    row = lock_enrolment(claimed.public_id)
    row.trouble, row.leased_until = trouble[:64], None
    row.save(update_fields=["trouble", "leased_until"])
    if row.asked == ASKED_MAX:
        record(
            actor, "enrolment.unresolved", subject=("enrolment", row.public_id),
            facts={"asked": row.asked, "trouble": row.trouble}, at=at,
        )  # fmt: skip


def _last_day(limit: timedelta | None, at: datetime) -> date | None:
    return None if limit is None else day_of(at + limit)


def _word(outcome: Rejected | Unknown) -> str:
    return outcome.reason if isinstance(outcome, Unknown) else outcome.code
