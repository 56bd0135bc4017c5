"""Agreeing to a request, refusing it, taking it back: what people do to one that waits."""

import json
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from compliance.approvals.ending import end, end_if_over, execute, lock, lock_pending
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval, Vote
from compliance.approvals.registry import Kind, kind_of
from compliance.approvals.states import ApprovalState
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may


def approve(*, number: str, checker: User, actor: Actor, at: datetime) -> Approval:
    """Agree. With the last vote that is needed it is executed, here and once.

    Raises ApprovalRefused. Where the request is over by then (expired, stale, maker_unable,
    tampered) that is committed first. A refused attempt is recorded.
    """

    def agree() -> ApprovalRefused | None:
        approval = lock_pending(number)
        kind = kind_of(approval.kind)
        person = _require_checker(approval, kind, checker)
        if refusal := end_if_over(approval, kind, actor=actor, at=at):
            return refusal
        if approval.votes.filter(checker_person=person.person_ref).exists():
            raise ApprovalRefused("voted_already")
        approval.votes.create(
            checker=person, maker_person=approval.maker_person,
            checker_person=person.person_ref, at=at,
        )  # fmt: skip
        _tell("approval.agreed", approval, actor=actor, at=at)
        if Vote.objects.filter(approval=approval).count() < approval.needed:
            return None
        return execute(approval, kind, by=person, actor=actor, at=at)

    return _decided(number, "approve", agree, actor=actor, at=at)


def reject(*, number: str, checker: User, reason: str, actor: Actor, at: datetime) -> Approval:
    """Refuse the request, for a reason that its maker will read. Raises ApprovalRefused."""

    def refuse() -> ApprovalRefused | None:
        approval = lock_pending(number)
        person = _require_checker(approval, kind_of(approval.kind), checker)
        why = _reason(reason)
        end(approval, ApprovalState.REJECTED, why, by=person, actor=actor, at=at)
        return None

    return _decided(number, "reject", refuse, actor=actor, at=at)


def cancel(*, number: str, maker: User, reason: str, actor: Actor, at: datetime) -> Approval:
    """Take one's own request back. Raises ApprovalRefused: not_maker, not_pending, unknown."""

    def take_back() -> ApprovalRefused | None:
        approval = lock_pending(number)
        person = User.objects.get(pk=maker.pk)
        if not person.is_active or person.person_ref != approval.maker_person:
            raise ApprovalRefused("not_maker")
        end(approval, ApprovalState.CANCELLED, reason.strip(), by=person, actor=actor, at=at)
        return None

    return _decided(number, "cancel", take_back, actor=actor, at=at)


def break_glass(*, number: str, person: User, reason: str, actor: Actor, at: datetime) -> Approval:
    """Execute without anybody's agreement: a superuser, in an emergency, for a reason.
    What a merchant's own people decide is nobody's emergency but theirs.

    The audit trail keeps an alarm, and somebody else must review it afterwards.
    Raises ApprovalRefused, as `approve` does.
    """

    def go_alone() -> ApprovalRefused | None:
        approval = lock_pending(number)
        kind = kind_of(approval.kind)
        breaker = User.objects.select_for_update(no_key=True).get(pk=person.pk)
        if kind.judge.is_of_merchants or not (breaker.is_active and breaker.is_superuser):
            raise ApprovalRefused("ability_missing")
        why = _reason(reason)
        if refusal := end_if_over(approval, kind, actor=actor, at=at):
            return refusal
        refusal = execute(approval, kind, by=breaker, actor=actor, at=at, glass_reason=why)
        if refusal is None:
            _tell("alarm.glass_broken", approval, reason=why, actor=actor, at=at)
        return refusal

    return _decided(number, "break_glass", go_alone, actor=actor, at=at)


def review_glass(*, number: str, reviewer: User, note: str, actor: Actor, at: datetime) -> Approval:
    """Say what came of looking into an emergency. Neither its person nor the maker may.

    Raises ApprovalRefused: ability_missing, own_request, glass_missing, review_done.
    """

    def look_into() -> ApprovalRefused | None:
        approval = lock(number)
        person = User.objects.select_for_update(no_key=True).get(pk=reviewer.pk)
        if approval.glass_at is None or approval.ended_by is None:
            raise ApprovalRefused("glass_missing")
        if approval.reviewed_at is not None:
            raise ApprovalRefused("review_done")
        if not may(person, Ability.GLASS_REVIEW):
            raise ApprovalRefused("ability_missing", ability=str(Ability.GLASS_REVIEW))
        if person.person_ref in {approval.maker_person, approval.ended_by.person_ref}:
            raise ApprovalRefused("own_request")
        approval.reviewed_at, approval.reviewed_by = at, person
        approval.review = _reason(note)
        approval.save(update_fields=["reviewed_at", "reviewed_by", "review"])
        _tell("approval.glass_reviewed", approval, reason=note, actor=actor, at=at)
        return None

    return _decided(number, "review", look_into, actor=actor, at=at)


def _decided(
    number: str,
    deed: str,
    decide: Callable[[], ApprovalRefused | None],
    *,
    actor: Actor,
    at: datetime,
) -> Approval:
    """Run a decision in one transaction; raise its refusal only after that is kept and told."""
    try:
        with transaction.atomic():
            refusal = decide()
    except ApprovalRefused as refused:
        refusal = refused
    if refusal is not None:
        with transaction.atomic():
            record(
                actor, "approval.refused", subject=("approval", number),
                facts={"deed": deed, "code": refusal.code}, at=at,
            )  # fmt: skip
        raise refusal
    return Approval.objects.get(public_id=number)


def _require_checker(approval: Approval, kind: Kind, checker: User) -> User:
    """The checker's row, locked, so that nobody takes their role away between look and deed.

    The maker's is looked at later: both are locked here, always in the same order, so that two
    people who agree to each other's requests at once do not wait for each other for ever.
    """
    people = User.objects.select_for_update(no_key=True).order_by("pk")
    rows = {row.pk: row for row in people.filter(pk__in={checker.pk, approval.maker_id})}
    person = rows[checker.pk]
    if person.person_ref == approval.maker_person:
        raise ApprovalRefused("own_request")
    if not kind.judge.may_check(person, kind.checker, merchant=approval.merchant):
        raise ApprovalRefused("ability_missing", ability=kind.checker)
    if person.person_ref in kind.concerns(json.loads(approval.payload)):
        raise ApprovalRefused("own_affair")
    return person


def _reason(text: str) -> str:
    if not text.strip():
        raise ApprovalRefused("reason_missing")
    return text.strip()


def _tell(deed: str, approval: Approval, *, actor: Actor, at: datetime, reason: str = "") -> None:
    facts = {"kind": approval.kind, "payload_sha256": approval.payload_sha256}
    subject = ("approval", approval.public_id)
    record(actor, deed, subject=subject, facts=facts, reason=reason, at=at)
