"""Reads: what a merchant owes us now, a paper or a word."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef

from merchants.access import MerchantAccess
from merchants.terms.expiry import Stage
from merchants.terms.models import Renewal, Term
from merchants.terms.reviews import ReviewStage
from merchants.terms.states import RenewalState, TermKind
from merchants.terms.watch import effect_now, stage_now


@dataclass(frozen=True, slots=True)
class Owed:
    """What the first page of the portal says of it."""

    confirm_by: date | None = None
    """The merchant confirms its data by this day, and has not answered yet. None: not soon."""
    is_due: bool = False
    """That day has come."""
    is_limited_by_paper: bool = False
    """A paper ran out; without it, a merchant that is limited is so for its missing answer."""


def owed_by(access: MerchantAccess, *, at: datetime) -> Owed:
    """One statement. For everybody of the merchant: it says nothing about anybody."""
    waiting = Renewal.objects.filter(term=OuterRef("pk"), state=RenewalState.WAITING)
    terms = Term.objects.filter(
        merchant_id=access.merchant_id, replaced_at__isnull=True, last_day__isnull=False
    ).annotate(is_answered=Exists(waiting))
    confirm_by, is_due, is_limited_by_paper = None, False, False
    for term in terms:
        if term.kind != TermKind.REVIEW:
            is_limited_by_paper |= effect_now(term, at=at) >= Stage.LIMITED
            continue
        stage = stage_now(term, at=at)
        if stage.value > ReviewStage.FAR.value and not term.is_answered:
            confirm_by, is_due = term.last_day, stage.value >= ReviewStage.DUE.value
    return Owed(confirm_by, is_due, is_limited_by_paper)


def review_of(access: MerchantAccess) -> Term | None:
    """The confirmation of its data that a merchant owes next; None before it was taken on."""
    return Term.objects.filter(
        merchant_id=access.merchant_id, kind=TermKind.REVIEW, replaced_at__isnull=True
    ).first()
