"""Once an hour: writes to merchants whose papers run out, limits, stops, and lets them go on."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.people import joined
from merchants.access import people_who_may
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.accounts.states import MerchantStatus, Suspension
from merchants.days import day_of
from merchants.terms.expiry import Stage, stage_of
from merchants.terms.models import Term
from merchants.terms.reviews import OVERDUE_DAYS, ReviewStage, review_stage_of
from merchants.terms.states import TermKind

WATCHED: Final = (MerchantStatus.ACTIVE, MerchantStatus.LIMITED, MerchantStatus.SUSPENDED)
LOT: Final = 200


def watch_terms(*, at: datetime) -> int:
    """Look at every term that is not far from its end; how many merchants changed or were told.

    Safe to run at once: each merchant is a transaction of its own, under its lock.
    """
    merchants = (
        Merchant.objects.filter(status__in=WATCHED, terms__replaced_at__isnull=True)
        .filter(terms__last_day__isnull=False)
        .distinct()
        .order_by("pk")
    )
    return sum(
        look_at(merchant_id=pk, actor=SYSTEM, at=at)
        for pk in merchants.values_list("pk", flat=True).iterator(chunk_size=LOT)
    )


@transaction.atomic
def look_at(*, merchant_id: int, actor: Actor, at: datetime) -> bool:
    """Bring one merchant to where its papers are; whether anything came of it.

    Called hourly, and when a renewal is accepted. Whom the staff suspended stays suspended.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    if merchant.status not in WATCHED:
        return False
    terms = list(current_terms(merchant).select_for_update())
    was_told = [_tell(merchant, term, at=at) for term in terms]
    worst = max((effect_now(term, at=at) for term in terms), default=Stage.GOOD)
    return _move(merchant, worst, actor=actor, at=at) or any(was_told)


def stage_now(term: Term, *, at: datetime) -> Stage | ReviewStage:
    """How far a term is: that of a paper, or of a confirmation of the merchant's data."""
    if term.kind == TermKind.REVIEW:
        return review_stage_of(term.last_day, on=day_of(at))
    return stage_of(term.last_day, on=day_of(at))


def effect_now(term: Term, *, at: datetime) -> Stage:
    """What a term does to its merchant. One that only owes us an answer is limited, never stopped,
    and no sooner than some time after the day.
    """
    stage = stage_now(term, at=at)
    if isinstance(stage, ReviewStage):
        return Stage.LIMITED if stage is ReviewStage.OVERDUE else Stage.GOOD
    return stage


def current_terms(merchant: Merchant) -> QuerySet[Term]:
    """The terms that count."""
    return merchant.terms.filter(replaced_at__isnull=True).order_by("kind")


@transaction.atomic
def begin_terms(*, merchant: Merchant, terms: Iterable[Term], actor: Actor, at: datetime) -> None:
    """Put terms in the place of those of the same kinds. The caller holds the merchant's lock."""
    for term in terms:
        merchant.terms.filter(kind=term.kind, replaced_at__isnull=True).update(replaced_at=at)
        term.merchant, term.begun_at = merchant, at
        term.save(force_insert=True)
        record(
            actor, "term.begun", subject=("merchant", merchant.public_id),
            facts={"kind": term.kind, "last_day": str(term.last_day or "")}, at=at,
        )  # fmt: skip


def _tell(merchant: Merchant, term: Term, *, at: datetime) -> bool:
    """Write once about each stage. A paper that is found late is told of at its worst only."""
    stage = stage_now(term, at=at)
    if stage.value <= term.told:
        return False
    term.told = stage.value
    term.save(update_fields=["told"])
    letter, told = _letter_of(term, stage)
    for owner in joined(people_who_may(APPLICATION_WRITE, merchant=merchant.public_id)):
        write_letter(
            owner, letter, at=at, merchant=merchant.public_id, business=merchant.name,
            last_day=term.last_day, **told,
        )  # fmt: skip
    return True


def _letter_of(term: Term, stage: Stage | ReviewStage) -> tuple[str, Mapping[str, Any]]:
    if isinstance(stage, ReviewStage):
        return "data_to_confirm", {
            "is_due": stage >= ReviewStage.DUE, "is_overdue": stage is ReviewStage.OVERDUE,
            "overdue_days": OVERDUE_DAYS,
        }  # fmt: skip
    return "paper_runs_out", {
        "paper": TermKind(term.kind).label, "is_over": stage >= Stage.LIMITED,
        "is_stopped": stage is Stage.STOPPED,
    }  # fmt: skip


def _move(merchant: Merchant, worst: Stage, *, actor: Actor, at: datetime) -> bool:
    if merchant.status == MerchantStatus.SUSPENDED and merchant.suspended_for != Suspension.PAPERS:
        return False
    wanted = {Stage.LIMITED: MerchantStatus.LIMITED, Stage.STOPPED: MerchantStatus.SUSPENDED}.get(
        worst, MerchantStatus.ACTIVE
    )
    before = MerchantStatus(merchant.status)
    if wanted is before:
        return False
    if wanted is MerchantStatus.SUSPENDED and before is MerchantStatus.ACTIVE:
        merchant.move(MerchantStatus.LIMITED, at=at)
    is_stopped = wanted is MerchantStatus.SUSPENDED
    merchant.move(wanted, at=at, suspended_for=Suspension.PAPERS if is_stopped else "")
    record(
        actor, f"merchant.{wanted.value}", subject=("merchant", merchant.public_id),
        before={"status": str(before)}, after={"status": str(wanted)},
        reason="papers" if wanted is not MerchantStatus.ACTIVE else "papers renewed", at=at,
    )  # fmt: skip
    return True
