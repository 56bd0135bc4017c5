"""How a request ends: executed when everybody agreed, or over for a reason of its own."""

import json
from datetime import datetime

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.frozen import canonical, is_as_asked
from compliance.approvals.models import Approval
from compliance.approvals.registry import Kind, Order
from compliance.approvals.states import ApprovalState
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User

TAMPERED = "tampered"


def lock(number: str) -> Approval:
    """The request, its row locked. Raises ApprovalRefused: unknown."""
    found = Approval.objects.select_for_update().filter(public_id=number).first()
    if found is None:
        raise ApprovalRefused("unknown", number=number[:32])
    return found


def lock_pending(number: str) -> Approval:
    """The same, waiting still. Raises ApprovalRefused: unknown or not_pending."""
    approval = lock(number)
    if approval.state != ApprovalState.PENDING:
        raise ApprovalRefused("not_pending", state=str(approval.state))
    return approval


def end_if_over(
    approval: Approval, kind: Kind, *, actor: Actor, at: datetime
) -> ApprovalRefused | None:
    """End a pending request that must not be executed any more, and say why.

    The caller holds its lock, commits, and then raises what this returns.
    """
    if not is_as_asked(approval):
        end(approval, ApprovalState.VOID, TAMPERED, actor=actor, at=at)
        record(
            actor, "alarm.request_tampered", subject=("approval", approval.public_id),
            facts={"kind": approval.kind, "payload_sha256": approval.payload_sha256}, at=at,
        )  # fmt: skip
        return ApprovalRefused(TAMPERED)
    if at >= approval.expires_at:
        end(approval, ApprovalState.EXPIRED, "expired", actor=actor, at=at)
        return ApprovalRefused("expired")
    # The maker's row is locked, so that nobody takes their role away between look and deed.
    maker = User.objects.select_for_update(no_key=True).get(pk=approval.maker_id)
    if not kind.judge.may_make(maker, kind.maker, merchant=approval.merchant):
        end(approval, ApprovalState.VOID, "maker_unable", actor=actor, at=at)
        return ApprovalRefused("maker_unable")
    return None


def execute(
    approval: Approval,
    kind: Kind,
    *,
    by: User,
    actor: Actor,
    at: datetime,
    glass_reason: str = "",
) -> ApprovalRefused | None:
    """Do what was asked for, in the transaction of the last vote; or end it as stale and say so.

    The caller holds the row's lock and has found it pending and enough people agreed.
    Raises ApprovalRefused (not_executable) when a rule of the target says no.
    """
    payload, subject = json.loads(approval.payload), (approval.subject_kind, approval.subject_id)
    if canonical(kind.look(subject, payload)) != approval.before:
        end(approval, ApprovalState.STALE, "stale", actor=actor, at=at)
        return ApprovalRefused("stale")
    order = Order(
        number=approval.public_id, subject=subject, payload=payload, reason=approval.reason,
        merchant=approval.merchant, maker=approval.maker, actor=actor, at=at,
    )  # fmt: skip
    try:
        result = kind.execute(order)
    except kind.refusals as refusal:
        raise ApprovalRefused("not_executable", told=kind.explain(refusal)) from refusal
    facts = {"ended_by": by, "result": canonical(result or {})}
    if glass_reason:
        facts |= {"glass_at": at, "ending": glass_reason}
    approval.move(ApprovalState.EXECUTED, at=at, **facts)
    _tell(approval, ApprovalState.EXECUTED, glass_reason, actor=actor, at=at)
    return None


def end(
    approval: Approval,
    state: ApprovalState,
    why: str,
    *,
    actor: Actor,
    at: datetime,
    by: User | None = None,
) -> None:
    """End it without doing anything. The caller holds the row's lock."""
    approval.move(state, at=at, ended_by=by, ending=why)
    _tell(approval, state, why, actor=actor, at=at)


def _tell(
    approval: Approval, state: ApprovalState, why: str, *, actor: Actor, at: datetime
) -> None:
    record(
        actor, f"approval.{state}", subject=("approval", approval.public_id), reason=why,
        facts={
            "kind": approval.kind, "about": f"{approval.subject_kind} {approval.subject_id}",
            "payload_sha256": approval.payload_sha256,
        },
        before={"state": str(ApprovalState.PENDING)}, after={"state": str(state)}, at=at,
    )  # fmt: skip
