"""Asking for something that another person must agree to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from compliance.approvals.ending import end, execute, lock_pending
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.frozen import canonical, freeze
from compliance.approvals.models import Approval
from compliance.approvals.registry import kind_of
from compliance.approvals.states import ApprovalState
from compliance.approvals.telling import tell_checkers
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.numbers import new_number

REASON_MAX: Final = 2000


@transaction.atomic
def request_approval(
    *,
    kind: str,
    subject: tuple[str, str],
    payload: Mapping[str, Any],
    reason: str,
    maker: User,
    actor: Actor,
    at: datetime,
    merchant: str = "",
) -> Approval:
    """Ask. What is asked for is frozen here; another request on the same subject has to wait.
    `merchant` is named for kinds that a merchant's own people decide, and for no other.

    Raises ApprovalRefused: ability_missing, reason_missing, pending_already; and, where the kind
    lets the maker decide alone, what executing raises.
    """
    asked = kind_of(kind)
    if asked.judge.is_of_merchants != bool(merchant):
        raise ValueError(f"{kind} is decided on the other side of the house")
    # A fresh row: the caller's may be older than a change of roles.
    maker = User.objects.select_for_update(no_key=True).get(pk=maker.pk)
    if not asked.judge.may_make(maker, asked.maker, merchant=merchant):
        raise ApprovalRefused("ability_missing", ability=asked.maker)
    if not reason.strip():
        raise ApprovalRefused("reason_missing")
    _clear_the_way(kind, subject, at=at, actor=actor)
    approval = Approval(
        public_id=new_number("apv_", at=at),
        kind=kind,
        subject_kind=subject[0],
        subject_id=subject[1],
        merchant=merchant,
        payload=canonical(payload),
        before=canonical(asked.look(subject, payload)),
        maker=maker,
        maker_person=maker.person_ref,
        reason=reason.strip()[:REASON_MAX],
        needed=asked.needed(payload),
        created_at=at,
        expires_at=at + asked.lasts,
    )
    freeze(approval)
    _insert(approval)
    record(
        actor, "approval.requested", subject=("approval", approval.public_id), reason=reason,
        facts={
            "kind": kind, "about": " ".join(subject), "needed": approval.needed,
            "payload_sha256": approval.payload_sha256,
        },
        at=at,
    )  # fmt: skip
    if approval.needed > 0:
        tell_checkers(approval, asked)
    if approval.needed == 0 and (refusal := execute(approval, asked, by=maker, actor=actor, at=at)):
        raise refusal
    return approval


def _insert(approval: Approval) -> None:
    try:
        with transaction.atomic():
            approval.save(force_insert=True)
    except IntegrityError as error:
        if "approval_one_pending" not in str(error):
            raise
        raise ApprovalRefused("pending_already") from None


def _clear_the_way(kind: str, subject: tuple[str, str], *, actor: Actor, at: datetime) -> None:
    """An old request whose time ran out stands in nobody's way, swept up already or not."""
    waiting = Approval.objects.filter(
        kind=kind, subject_kind=subject[0], subject_id=subject[1], state=ApprovalState.PENDING
    ).first()
    if waiting is None:
        return
    approval = lock_pending(waiting.public_id)
    if at < approval.expires_at:
        raise ApprovalRefused("pending_already", number=approval.public_id)
    end(approval, ApprovalState.EXPIRED, "expired", actor=actor, at=at)
