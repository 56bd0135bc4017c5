"""Taking a merchant on takes two of the staff: one who reviewed and recommends, one who agrees."""

import hashlib
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy

from compliance.approvals.frozen import canonical
from compliance.approvals.models import Approval
from compliance.approvals.pages import admin_page
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability
from merchants.accounts.models import Merchant
from merchants.accounts.states import MerchantStatus
from merchants.days import day_of
from merchants.errors import IllegalMove
from merchants.onboarding.diligence import missing_diligence
from merchants.onboarding.documents import PERMIT
from merchants.onboarding.models import RISK_CHOICES, Application
from merchants.onboarding.reading import standing_of
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.reviewing import lock_for_review, targets_of, tell_owners
from merchants.onboarding.risk import grade_application, next_review
from merchants.onboarding.screened import outcomes_for, waits_for_decision
from merchants.onboarding.sections import Value
from merchants.onboarding.states import ApplicationState, Entity
from merchants.onboarding.values import FOREVER
from merchants.onboarding.words import refusal_told
from merchants.terms.models import Term
from merchants.terms.states import TermKind
from merchants.terms.watch import begin_terms

APPROVE: Final = "merchant.approve"


@transaction.atomic
def recommend(*, application: str, reason: str, by: User, actor: Actor, at: datetime) -> Approval:
    """Ask a second person to take the merchant on, when every field and paper was found right.

    Raises ApplicationNotFound, ApprovalRefused, or VerdictRefused: not_all_right, faulty_meanwhile,
    screening_open among them.
    """
    row = lock_for_review(application, by)
    _require_all_right(row, actor=actor, at=at)
    return request_approval(
        kind=APPROVE, subject=("application", row.public_id), reason=reason, maker=by, actor=actor,
        payload={
            "merchant": row.merchant.public_id, "name": row.name, "credit_code": row.credit_code,
            "entity": row.entity, "round": row.round, "risk": row.risk or 0,
        },
        at=at,
    )  # fmt: skip


def _require_all_right(row: Application, *, actor: Actor, at: datetime) -> None:
    """A paper may have run out, and the risk have grown, while it lay with the reviewers."""
    standing = standing_of(row, on=day_of(at))
    if standing.faults:
        fault = standing.faults[0]
        raise VerdictRefused("faulty_meanwhile", where=f"{fault.section}.{fault.field}")
    said = {target for target, verdict in standing.verdicts.items() if verdict.is_right}
    missing = sorted(set(targets_of(standing)) - said)
    if missing:
        raise VerdictRefused("not_all_right", target=missing[0])
    if waits_for_decision(outcomes_for(row, standing)):
        raise VerdictRefused("screening_open")
    grade_application(row, standing, actor=actor, at=at)
    if undone := missing_diligence(row):
        raise VerdictRefused("diligence_missing", measure=undone[0])


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    """How it stands, with a digest over everything that was looked at."""
    row = Application.objects.get(public_id=subject[1])
    seen = {
        "drafts": sorted(row.drafts.values_list("section", "version")),
        "documents": sorted(
            row.documents.filter(removed_at__isnull=True).values_list("file__public_id", flat=True)
        ),
        "verdicts": sorted(
            row.verdicts.filter(round=row.round).values_list("target", "is_right", "reason")
        ),
    }
    return {
        "state": str(row.state),
        "round": row.round,
        "looked_at": hashlib.sha256(canonical(seen).encode()).hexdigest(),
    }


def _take_on(order: Order) -> None:
    """Called by the approval. The papers are looked at once more: one may have run out since."""
    row = Application.objects.select_for_update().get(public_id=order.subject[1])
    _require_all_right(row, actor=order.actor, at=order.at)
    row.move(ApplicationState.APPROVED, at=order.at)
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=row.merchant_id)
    before = merchant.status
    merchant.move(MerchantStatus.ACTIVE, at=order.at)
    merchant.name, merchant.may_live, merchant.risk = row.name, True, row.risk
    merchant.save(update_fields=["name", "may_live", "risk"])
    begin_terms(merchant=merchant, terms=_terms_of(row, order.at), actor=order.actor, at=order.at)
    tell_owners(row, "application_approved", at=order.at)
    record(
        order.actor, "application.approved", subject=("application", row.public_id),
        facts={"round": row.round, "request": order.number},
        before={"state": str(ApplicationState.IN_REVIEW)}, after={"state": str(row.state)},
        at=order.at,
    )  # fmt: skip
    record(
        order.actor, "merchant.active", subject=("merchant", merchant.public_id),
        before={"status": str(before)}, after={"status": str(merchant.status)},
        reason=f"{order.number}: {order.reason}", at=order.at,
    )  # fmt: skip


def _terms_of(row: Application, at: datetime) -> list[Term]:
    """Until when the papers are good that the merchant is taken on with."""
    standing = standing_of(row, on=day_of(at))
    terms = [
        Term(kind=kind, last_day=_last_day(standing.read[section].rows[0]["valid_to"]))
        for kind, section in ((TermKind.LICENCE, "licence"), (TermKind.IDENTITY, "legal_person"))
    ]
    terms.append(Term(kind=TermKind.REVIEW, last_day=next_review(row, on=day_of(at))))
    permits = [one.valid_to for one in standing.documents if one.kind == PERMIT and one.valid_to]
    return [*terms, *(Term(kind=TermKind.PERMIT, last_day=max(permits)) for _ in permits[:1])]


def _last_day(read: Value) -> date | None:
    return read if isinstance(read, date) and read != FOREVER else None


def _their_people(payload: Facts) -> Collection[str]:
    """People of the merchant do not decide about it, whatever other account they use."""
    merchant = Merchant.objects.get(public_id=payload["merchant"])
    return merchant.members.values_list("user__person_ref", flat=True)


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=APPROVE, label=gettext_lazy("Take a merchant on"),
            maker=Ability.MERCHANTS_REQUEST, checker=Ability.MERCHANTS_APPROVE, look=_look,
            execute=_take_on, concerns=_their_people, refusals=(VerdictRefused, IllegalMove),
            explain=refusal_told,
            page=admin_page("merchants_application", Application.objects.all(), "public_id"),
            words={
                "name": gettext_lazy("name on the licence"),
                "credit_code": gettext_lazy("unified social credit code"),
                "entity": gettext_lazy("kind of business"),
                "merchant": gettext_lazy("merchant"),
                "state": gettext_lazy("state"),
                "round": gettext_lazy("round"),
                "risk": gettext_lazy("risk"),
                "looked_at": gettext_lazy("digest of what was looked at"),
            },
            values={
                "entity": dict(Entity.choices), "state": dict(ApplicationState.choices),
                "risk": {str(value): label for value, label in RISK_CHOICES},
            },
        )
    )  # fmt: skip
